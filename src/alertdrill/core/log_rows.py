"""What a line of a log says: when its request came, and which row it sent."""

import math
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM = 1e11
"""Numbers from here on are milliseconds since the epoch, below it seconds: 1e11 s would be the year 5138."""

LATEST = 1e14
LONGEST_TEXT = 100_000
SEARCHED = 1000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_ZONE = re.compile(r"(?P<sign>[+-])(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d)")
_SHOWN = 40

Values = Mapping[str, Any]


class Unusable(ValueError):
    """A line that cannot be used.

    Attributes:
        got: what was found in it.
        expected: what can stand there.
    """

    def __init__(self, got: str, expected: str) -> None:
        super().__init__(f"got {got}, expected {expected}")
        self.got = got
        self.expected = expected


class TimeKind(Enum):
    """How a log writes times."""

    SECONDS = "epoch seconds"
    MILLISECONDS = "epoch milliseconds"
    TEXT = "ISO 8601"


_TIME = "a time: epoch seconds, epoch milliseconds or ISO 8601 with a zone"


def shown(value: object) -> str:
    """A value in a message, cut."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def zone_of(text: str) -> tzinfo:
    """A zone: UTC, or an offset from it such as +02:00.

    Raises:
        ValueError: it is neither.
    """
    if text in ("UTC", "Z"):
        return UTC
    found = _ZONE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    away = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    return timezone(-away if found["sign"] == "-" else away)


def read_time(value: object, zone: tzinfo | None = None) -> tuple[int, TimeKind]:
    """Whole microseconds since the epoch, and how they were written.

    Args:
        value: the time.
        zone: of texts that name none; None: these cannot be read.

    Raises:
        Unusable: it is no time.
    """
    if isinstance(value, datetime):
        return _microseconds(value if value.tzinfo else value.replace(tzinfo=UTC)), TimeKind.TEXT
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return _of_text(value, zone), TimeKind.TEXT
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        number = float(value) if isinstance(value, str | Decimal) else value
        if 0 <= number < MILLISECONDS_FROM:
            return round(number * 1e6), TimeKind.SECONDS
        if MILLISECONDS_FROM <= number < LATEST:
            return round(number * 1e3), TimeKind.MILLISECONDS
    raise Unusable(shown(value), _TIME)


def _of_text(text: str, zone: tzinfo | None) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Unusable(shown(text), _TIME) from None
    if moment.tzinfo is None and zone is None:
        raise Unusable(f"{shown(text)}, which has no zone", "a zone, such as Z or +02:00, or load.log.zone for all")
    return _microseconds(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def parts_of(place: str) -> tuple[str, ...]:
    """The keys on the way to a place: those of a JSON pointer (RFC 6901), or one name."""
    if not place.startswith("/"):
        return (place,)
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in place[1:].split("/"))


def at(values: object, parts: tuple[str, ...]) -> object:
    """What stands at a place.

    Raises:
        LookupError: nothing does; a null counts as something.
    """
    for part in parts:
        if isinstance(values, Mapping):
            values = values[part]
        elif isinstance(values, list) and part.isdecimal():
            values = values[int(part)]
        else:
            raise LookupError(part)
    return values


def names_beside(values: object, place: str) -> tuple[str, ...]:
    """What could be written instead of a place that is not there: the names at the first level that lacks its part."""
    found, before = values, ""
    for part in parts_of(place):
        inside = dict(enumerate(found)) if isinstance(found, list) else found
        if not isinstance(inside, Mapping):
            return ()
        known = {str(key): value for key, value in inside.items()}
        if part not in known:
            return tuple(f"{before}/{escaped(key)}" if place.startswith("/") else key for key in known)
        found, before = known[part], f"{before}/{escaped(part)}"
    return ()


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def likely_features(values: object, names: frozenset[str]) -> str | None:
    """JSON pointer to the object in a line that has the most of some names as keys; "" is the line itself."""
    best, most = None, 0
    for searched, (pointer, one) in enumerate(_objects(values)):
        if searched > SEARCHED:
            break
        count = len(names & one.keys())
        if count > most:
            best, most = pointer, count
    return best


def _objects(values: object) -> Iterator[tuple[str, Values]]:
    todo: list[tuple[str, object]] = [("", values)]
    while todo:
        pointer, one = todo.pop(0)
        if isinstance(one, Mapping):
            yield pointer, one
        inside = one.items() if isinstance(one, Mapping) else enumerate(one) if isinstance(one, list) else ()
        todo += [(f"{pointer}/{escaped(str(key))}", value) for key, value in inside]


Cells = Callable[[object], float | str | None]


def cell_reader(feature: Feature, from_text: bool) -> Cells:
    """What reads the values of a feature as rows hold them: a number, seconds since the epoch, or a text.

    It answers None for a null, for a NaN, and for an empty text, which no CSV can hold, and raises Unusable for a value
    of another kind.

    Args:
        feature: its name and kind.
        from_text: whether the log has texts alone, so that numbers are written as such.
    """
    if feature.kind is FeatureKind.CATEGORY:
        return partial(_category, feature.name)
    if feature.kind is FeatureKind.TIMESTAMP:
        return partial(_timestamp, feature.name)
    return partial(_number, feature.name, feature.kind is FeatureKind.INTEGER, from_text)


def _category(name: str, value: object) -> str | None:
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return value or None
    if value is None:
        return None
    raise Unusable(f"{name}: {shown(value)}", "text of at most 100,000 characters, as it is a category")


def _timestamp(name: str, value: object) -> float | None:
    """Seconds since the epoch of ISO 8601, in UTC where it has no zone."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime):
        raise Unusable(f"{name}: {shown(value)}", "a time in ISO 8601, as it is a timestamp")
    return _microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC)) / 1e6


def _number(name: str, whole: bool, from_text: bool, value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str if from_text else int | float | Decimal):
            raise TypeError
        number = float(value)
        if number != number:
            return None
        if whole and number != int(number if isinstance(value, float) else Decimal(value)):
            raise Unusable(f"{name}: {shown(value)}", "a whole number that a double can hold")
        if math.isfinite(number) and not (from_text and "_" in str(value)):
            return number
    except (TypeError, ValueError, OverflowError, InvalidOperation):
        pass
    raise Unusable(f"{name}: {shown(value)}", "a number")


class Columns:
    """The rows of a log as they are read, line by line: 8 bytes a number, 4 a category.

    Attributes:
        nulls: by feature, in how many rows it is null.
        changed: by feature, in how many rows it is null though the log has no null there: nothing, or an empty text.
    """

    def __init__(self, schema: Schema, from_text: bool) -> None:
        """Start empty.

        Args:
            schema: of the target.
            from_text: whether the log has texts alone.
        """
        self._schema, self._from_text = schema, from_text
        self._readers = [(one.name, cell_reader(one, from_text)) for one in schema.features]
        self._numbers = {one.name: array("d") for one in schema.features if one.kind is not FeatureKind.CATEGORY}
        self._codes = {one.name: array("i") for one in schema.features if one.kind is FeatureKind.CATEGORY}
        self._texts: dict[str, dict[str, int]] = {name: {"": 0} for name in self._codes}
        self._labels: list[str] = []
        self.nulls = dict.fromkeys(schema.names(), 0)
        self.changed = dict.fromkeys(schema.names(), 0)

    def add(self, values: Values, line: Values) -> None:
        """Take the features of one line; all of them, or none if it cannot be used.

        Args:
            values: the object with the features.
            line: the whole line, which may have the label beside them.

        Raises:
            Unusable: a feature is of another kind.
        """
        cells = [read(values.get(name)) for name, read in self._readers]
        for (name, _), cell in zip(self._readers, cells, strict=True):
            if cell is None:
                self.nulls[name] += 1
                self.changed[name] += not self._from_text and values.get(name, "") == ""
            if name in self._numbers:
                self._numbers[name].append(cell if isinstance(cell, float) else math.nan)
            else:
                known = self._texts[name]
                self._codes[name].append(known.setdefault(cell if isinstance(cell, str) else "", len(known)))
        if self._schema.label is not None:
            label = values.get(self._schema.label, line.get(self._schema.label))
            self._labels.append("" if label is None else str(label).lower() if isinstance(label, bool) else str(label))

    def rows(self, order: NDArray[np.int64]) -> Rows:
        """The rows in another order: `order` has shape (n,), positions in what was taken."""
        columns = {one.name: self._column(one, order) for one in self._schema.features}
        labels = None
        if self._schema.label is not None:
            labels = np.array([*self._labels, None], dtype=object)[:-1][order]
        return Rows(columns, labels)

    def _column(self, feature: Feature, order: NDArray[np.int64]) -> Column:
        if feature.kind is FeatureKind.CATEGORY:
            codes = np.array(self._codes[feature.name], dtype=np.int64)[order]
            texts = np.array([*self._texts[feature.name], None], dtype=object)[:-1]
            return Column(texts[codes], np.where(codes == 0, Cell.NULL, Cell.VALUE).astype(np.uint8))
        values = np.array(self._numbers[feature.name], dtype=np.float64)[order]
        return Column(values, np.where(np.isnan(values), Cell.NULL, Cell.VALUE).astype(np.uint8))
