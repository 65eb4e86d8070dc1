"""The Prometheus text format; the part of a line before its number is written once and kept."""

import math
from collections.abc import Iterable, Iterator, Mapping

METRICS_PATH = "/metrics"
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


def header(name: str, kind: str, text: str) -> str:
    """The two comment lines of a metric; `kind` is counter, gauge, histogram or summary."""
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n"


def key(name: str, labels: Mapping[str, str]) -> str:
    """What stands before the number: name, labels with escaped values, a space."""
    pairs = ",".join(f'{label}="{_escape(value)}"' for label, value in labels.items())
    return f"{name}{{{pairs}}} "


def number(value: float) -> str:
    """A value as Prometheus reads it."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)


def lines(keys: Iterable[str], values: Iterable[float]) -> Iterator[str]:
    """One line for each key and its value."""
    for start, value in zip(keys, values, strict=True):
        yield f"{start}{number(value)}\n"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
