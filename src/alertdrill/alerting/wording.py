"""Quantities as alerts say them to people."""

from alertdrill.core.units import format_share

_UNITS = {"s": "s", "m": "min", "h": "h", "d": "days"}
_ONE = {"1d": "a day", "1h": "an hour"}


def spoken(duration: str) -> str:
    """A Prometheus duration of one unit in words: `5s` is `5 s`, `10m` is `10 min`, `1d` is `a day`."""
    return _ONE.get(duration) or f"{duration[:-1]} {_UNITS[duration[-1]]}"


def spoken_seconds(duration_s: float) -> str:
    """Seconds in words: 0.25 is `250 ms`, 2 is `2 s`."""
    return f"{duration_s * 1000:.6g} ms" if duration_s < 1 else f"{duration_s:.6g} s"


def percent(share: float) -> str:
    """A share (0 to 1) as a percentage, `5%`."""
    return format_share(share)


def number(value: float) -> str:
    """A number as PromQL reads it, without superfluous digits."""
    return f"{value:.12g}"
