"""Quantities as people write them: shares, durations, rates, shifts and comparisons, each with its unit."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from alertdrill.core.errors import BadValue

_NUMBER = r"(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})"
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|s|m|h))+")
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|s|m|h)")
_RATE = re.compile(rf"({_NUMBER})\s*/\s*(s|m|h)")
_SHIFT = re.compile(rf"([+-]?{_NUMBER})\s*sd")
_COMPARISON = re.compile(rf"(==|!=|<=|>=|<|>)\s*([+-]?{_NUMBER}(?:[eE][+-]?\d{{1,3}})?)")

# Milliseconds, as 13 * 0.001 is not 13 / 1000 in floating point.
_UNIT_MS: Mapping[str, int] = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_MAX_CHARACTERS = 60
_UNIT_ORDER = ("h", "m", "s", "ms")

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _as_number(value: object) -> float | None:
    """The value as a float if it is a number (true and false are not), or text that holds nothing else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if re.fullmatch(rf"[+-]?{_NUMBER}", value.strip()) else None
    if isinstance(value, int) and abs(value) > 10**15:
        return math.inf
    return float(value) if isinstance(value, int | float) else None


def _text(number: float) -> str:
    """The shortest text of a number: 20, not 20.0."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def parse_share(value: object) -> float:
    """A share from 0 to 1, written as `20%` or `0.2`.

    Raises:
        BadValue: neither of these, or outside 0 to 1.
    """
    percent = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
    share = float(percent[1]) / 100 if percent else _as_number(value)
    if share is not None and 0 <= share <= 1:
        return share
    if share is not None and 1 < share <= 100 and not percent:
        raise BadValue("a share from 0 to 1", f"write {_text(round(share / 100, 12))} or {_text(share)}%")
    raise BadValue("a share from 0 to 1", "write a part of the whole, such as 0.2 or 20%")


def format_share(share: float) -> str:
    """A share (0 to 1) as a percentage, such as `20%`."""
    return f"{_text(round(share * 100, 10))}%"


def parse_duration(value: object) -> float:
    """Seconds of a duration such as `500ms`, `30s`, `15m`, `1h` or `1h30m`; at least 0.

    Raises:
        BadValue: the unit is missing, or the text is no duration.
    """
    text = value.strip() if isinstance(value, str) and len(value) <= _MAX_CHARACTERS else ""
    parts: list[tuple[str, str]] = _DURATION_PART.findall(text) if _DURATION.fullmatch(text) else []
    units = [_UNIT_ORDER.index(unit) for _, unit in parts]
    if parts and units == sorted(set(units)):
        return math.fsum(float(number) * _UNIT_MS[unit] for number, unit in parts) / 1000
    number = _as_number(value)
    if number is not None and math.isfinite(number) and number >= 0:
        raise BadValue("a duration with its unit", f"write {_text(number)}s for seconds (or ms, m, h)")
    raise BadValue("a duration such as 500ms, 30s, 15m or 1h30m", "write a number and its unit: ms, s, m or h")


def format_duration(duration_s: float) -> str:
    """The shortest text that `parse_duration` reads back as `duration_s` seconds, such as `1h30m` or `500ms`."""
    milliseconds = round(duration_s * 1000)
    if duration_s == 0 or milliseconds / 1000 != duration_s:
        return f"{duration_s:.15f}".rstrip("0").rstrip(".") + "s"
    text = ""
    for unit in _UNIT_ORDER:
        count, milliseconds = divmod(milliseconds, _UNIT_MS[unit])
        text += f"{count}{unit}" if count else ""
    return text


def parse_rate(value: object) -> float:
    """Arrivals per second of a rate such as `100/s` or `6000/m`; above 0.

    Raises:
        BadValue: the unit is missing, the text is no rate, or the rate is 0.
    """
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found and float(found[1]) > 0:
        return float(found[1]) * 1000 / _UNIT_MS[found[2]]
    number = _as_number(value)
    if number is not None and math.isfinite(number) and number > 0:
        raise BadValue("a rate with its unit", f"write {_text(number)}/s for requests per second (or /m, /h)")
    raise BadValue("a rate above 0 such as 100/s or 6000/m", "write a number of requests and /s, /m or /h")


def format_rate(rate_per_s: float) -> str:
    """A rate (per second) such as `100/s`."""
    return f"{_text(round(rate_per_s, 12))}/s"


@dataclass(frozen=True)
class ShiftBy:
    """How far values move.

    Attributes:
        amount: signed; in standard deviations of the feature if `in_sd`, else in the feature's own unit.
        in_sd: whether `amount` counts standard deviations.
    """

    amount: float
    in_sd: bool

    def absolute(self, standard_deviation: float) -> float:
        """The shift in the feature's own unit, given the feature's standard deviation in that unit."""
        return self.amount * standard_deviation if self.in_sd else self.amount

    def __str__(self) -> str:
        return f"{_text(self.amount)}{'sd' if self.in_sd else ''}"


def parse_shift(value: object) -> ShiftBy:
    """A shift such as `1sd`, `-1.5sd` (standard deviations) or `250` (the feature's own unit).

    Raises:
        BadValue: neither of these.
    """
    if isinstance(value, ShiftBy):
        return value
    in_sd = _SHIFT.fullmatch(value.strip()) if isinstance(value, str) else None
    amount = float(in_sd[1]) if in_sd else _as_number(value)
    if amount is not None and math.isfinite(amount):
        return ShiftBy(amount, in_sd is not None)
    raise BadValue("a shift such as 1sd, -1.5sd or 250", "write standard deviations as 1.5sd, or a plain number")


@dataclass(frozen=True)
class ComparedWith:
    """A condition on one number.

    Attributes:
        symbol: how the measured value is compared.
        number: what it is compared with.
    """

    symbol: Operator
    number: float

    def holds(self, value: float) -> bool:
        """Whether `value` meets the condition. NaN meets none but `!=`, as in PromQL."""
        return _OPERATORS[self.symbol](value, self.number)

    def __str__(self) -> str:
        return f"{self.symbol} {_text(self.number)}"


def parse_comparison(value: object) -> ComparedWith:
    """A comparison such as `== 0` or `< 0.2`.

    Raises:
        BadValue: no such comparison.
    """
    if isinstance(value, ComparedWith):
        return value
    found = _COMPARISON.fullmatch(value.strip()) if isinstance(value, str) else None
    if found and math.isfinite(float(found[2])):
        return ComparedWith(cast(Operator, found[1]), float(found[2]))
    number = _as_number(value)
    fix = 'write a comparison in quotes, such as "== 0" or "< 0.2"'
    if number is not None and math.isfinite(number):
        fix = f'write "== {_text(number)}" (or !=, <, <=, >, >=)'
    raise BadValue("a comparison with a number (==, !=, <, <=, >, >=)", fix)


_WRITTEN = r"(\d+(\.\d+)?|\.\d+)"  # a number as an editor's pattern has it
DURATION_SCHEMA = {
    "type": "string",
    "pattern": rf"^\s*({_WRITTEN}(ms|s|m|h))+\s*$",
    "examples": ["30s", "500ms", "1h30m"],
}

Share = Annotated[
    float,
    BeforeValidator(parse_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^\s*(\+?{_WRITTEN}|{_WRITTEN}\s*%)\s*$"},
            ],
            "examples": ["20%", 0.2],
        }
    ),
]
"""A share from 0 to 1, written `20%` or `0.2`."""

DurationS = Annotated[
    float,
    BeforeValidator(lambda value: parse_duration(value)),
    PlainSerializer(format_duration, when_used="json"),
    WithJsonSchema(DURATION_SCHEMA),
]
"""Seconds, written with a unit: `30s`, `500ms`, `1h30m`."""

PositiveDurationS = Annotated[DurationS, Field(gt=0)]
"""Seconds above 0, written the same."""

RatePerS = Annotated[
    float,
    BeforeValidator(parse_rate),
    PlainSerializer(format_rate, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": rf"^\s*{_WRITTEN}\s*/\s*(s|m|h)\s*$", "examples": ["100/s", "6000/m"]}
    ),
]
"""Requests per second, written `100/s` or `6000/m`."""


def parse_factor(value: object) -> float:
    """A factor of at least 0, such as 3 or 0.2.

    Raises:
        BadValue: it is none.
    """
    number = _as_number(value)
    if number is not None and math.isfinite(number) and number >= 0:
        return number
    raise BadValue("a factor of at least 0, such as 3 or 0.2", "write a plain number, without a unit")


Factor = Annotated[
    float,
    BeforeValidator(parse_factor),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": rf"^\s*\+?{_WRITTEN}\s*$"},
            ],
            "examples": [3, 0.2],
        }
    ),
]
"""A factor of at least 0."""

Shift = Annotated[
    ShiftBy,
    PlainValidator(parse_shift),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": rf"^\s*[+-]?{_WRITTEN}(\s*sd)?\s*$"}],
            "examples": ["1sd", "-1.5sd", 250],
        }
    ),
]
"""A `ShiftBy`, written `1.5sd` or `250`."""

Comparison = Annotated[
    ComparedWith,
    PlainValidator(parse_comparison),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*(==|!=|<=|>=|<|>)\s*[+-]?{_WRITTEN}([eE][+-]?\d+)?\s*$",
            "examples": ["== 0", "< 0.2"],
        }
    ),
]
"""A `ComparedWith`, written `== 0` or `< 0.2`."""
