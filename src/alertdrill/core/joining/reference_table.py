"""Rows that a user has of a model, column by column: kinds, ranges, categories, nulls, and what is no feature."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from alertdrill.core.joining.endpoint import Field
from alertdrill.protocols.features import FeatureKind

MOST_ROWS = 10_000
FEWEST_ROWS = 20
FEW_ROWS = 500
_NULLS = {"NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "<NA>"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_BOOLEANS = {"true": "1", "false": "0"}
_LONG_TEXT = 40
_IDENTIFIERS = 50
_SHOWN = 4


@dataclass(frozen=True)
class Column:
    """One column of the rows.

    Attributes:
        name: of it.
        kind: how its values can be written; None where they are lists or objects.
        texts: one a row, as the sample holds them; empty for a null.
        boolean: whether all that is there is true or false, written as 1 or 0.
        why_unwatched: why drift of it means nothing; None: it may mean something.
    """

    name: str
    kind: FeatureKind | None
    texts: tuple[str, ...]
    boolean: bool = False
    why_unwatched: str | None = None

    @property
    def about(self) -> str:
        """Range or categories, and nulls, for people."""
        known = [text for text in self.texts if text]
        nulls = f", {1 - len(known) / len(self.texts):.1%} null" if len(known) < len(self.texts) else ""
        if not known:
            return "always null"
        if self.kind in (FeatureKind.NUMBER, FeatureKind.INTEGER):
            numbers = [float(text) for text in known]
            return f"{min(numbers):g} to {max(numbers):g}{nulls}"
        if self.kind is FeatureKind.TIMESTAMP:
            return f"{min(known)} to {max(known)}{nulls}"
        counts = Counter(known)
        shown = ", ".join(text[:20] for text, _ in counts.most_common(_SHOWN))
        more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
        return f"{shown}{more}{nulls}"


@dataclass(frozen=True)
class Unfit:
    """A value that does not fit what a document says of its column; `row` counts from 1."""

    row: int
    got: str
    expected: str


def thinned(rows: Iterable[Mapping[str, Any]], most: int = MOST_ROWS) -> tuple[list[Mapping[str, Any]], int]:
    """At most so many rows, evenly from all of them, and how many there were."""
    kept: list[Mapping[str, Any]] = []
    step, count = 1, 0
    for count, row in enumerate(rows, 1):
        if (count - 1) % step == 0:
            kept.append(row)
        if len(kept) > 2 * most:
            kept, step = kept[::2], step * 2
    if len(kept) > most:
        kept = [kept[position * len(kept) // most] for position in range(most)]
    return kept, count


def column_of(name: str, values: Sequence[Any]) -> Column:
    """A column by its values alone: texts of CSV, or what JSON and Parquet hold."""
    if any(isinstance(value, list | tuple | dict | bytes) for value in values):
        return Column(name, None, ("",) * len(values))
    given = [text_of(value) for value in values]
    known = [text for text in given if text and text not in _NULLS]
    if known and all(text.lower() in _BOOLEANS for text in known):
        return Column(name, FeatureKind.INTEGER, tuple(_BOOLEANS.get(text.lower(), "") for text in given), boolean=True)
    if all(_number(text) is not None for text in known):
        whole = known and all(re.fullmatch(r"[+-]?\d+", text) for text in known)
        texts = tuple("" if text in _NULLS else text for text in given)
        kind = FeatureKind.INTEGER if whole else FeatureKind.NUMBER
        return Column(name, kind, texts, why_unwatched=_why_number(kind, texts))
    if all(_TIME.fullmatch(text) for text in known):
        return Column(name, FeatureKind.TIMESTAMP, tuple(map(_as_time, given)))
    return Column(name, FeatureKind.CATEGORY, tuple(given), why_unwatched=_why_text(given))


def as_field(column: Column, field: Field, values: Sequence[Any]) -> Column | Unfit:
    """A column as a document describes it, or the first value that contradicts the document."""
    if column.kind is None:
        return Unfit(1, "a list or an object", f"a value of {field.name}")
    texts = tuple(text_of(value) for value in values)
    if field.kind is FeatureKind.CATEGORY:
        why = _why_text(texts) if field.watched else "dates, times and identifiers have no drift"
        return Column(field.name, field.kind, texts, why_unwatched=why)
    if field.kind is FeatureKind.TIMESTAMP:
        return _checked(field, [_as_time(text) if text not in _NULLS else "" for text in texts], texts)
    if column.boolean:
        return Column(field.name, FeatureKind.INTEGER, column.texts, boolean=True)
    return _checked(field, ["" if text in _NULLS else text for text in texts], texts)


def _checked(field: Field, texts: Sequence[str], written: Sequence[str]) -> Column | Unfit:
    """A column of numbers or times, all of which are some."""
    whole = field.kind is FeatureKind.INTEGER
    for row, (text, got) in enumerate(zip(texts, written, strict=True), 1):
        if field.kind is FeatureKind.TIMESTAMP:
            if got and got not in _NULLS and not _TIME.fullmatch(got):
                return Unfit(row, repr(got[:40]), "an ISO 8601 time, such as 2026-11-22T20:46:15Z")
            continue
        number = _number(text) if text else 0.0
        if number is None or not math.isfinite(number) or (whole and number != round(number)):
            return Unfit(row, repr(got[:40]), "a whole number" if whole else "a number")
    if whole:
        texts = [str(round(float(text))) if text else "" for text in texts]
    why = None if field.kind is FeatureKind.TIMESTAMP else _why_number(field.kind, texts)
    return Column(field.name, field.kind, tuple(texts), boolean=field.boolean, why_unwatched=why)


def text_of(value: Any) -> str:
    """A value as the sample holds it, empty for a null."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value.strip() if isinstance(value, str) else str(value)


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _as_time(text: str) -> str:
    """A time as requests write it; what is none as it is."""
    if not _TIME.fullmatch(text):
        return "" if text in _NULLS else text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _why_number(kind: FeatureKind, texts: Sequence[str]) -> str | None:
    known = [float(text) for text in texts if text]
    if not known:
        return "it is always null"
    rising = all(low < high for low, high in pairwise(known))
    if kind is FeatureKind.INTEGER and len(known) >= _IDENTIFIERS and rising:
        return "it counts the rows, as an identifier does"
    return None


def _why_text(texts: Sequence[str]) -> str | None:
    known = [text for text in texts if text]
    if not known:
        return "it is always null"
    distinct = len(set(known))
    if distinct < max(_IDENTIFIERS, len(known) / 2):
        return None
    long = sum(map(len, known)) / len(known) > _LONG_TEXT or sum(" " in text for text in known) > len(known) / 2
    return "free text: hardly a value comes twice" if long else "an identifier: hardly a value comes twice"
