"""Reads a log of recorded requests: times and rows, with every mistake said where it can be mended."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from alertdrill.adapters.log_lines import Line, LogFile, open_log
from alertdrill.adapters.yaml_file import beside, locate
from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.log_requests import request_of_event, row_of_request
from alertdrill.core.log_rows import (
    EPOCH,
    Columns,
    TimeKind,
    Unusable,
    at,
    likely_features,
    names_beside,
    parts_of,
    read_time,
    shown,
    zone_of,
)
from alertdrill.core.scenario import Log, LogFormat, Send
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.core.units import format_duration, format_share
from alertdrill.protocols.schema import Schema

TRIED_LINES = 1000
"""If none of so many lines can be used, the others are not tried."""

SHOWN_LINES = 5
SHOWN_NAMES = 12
FEWEST_LINES = 2
LIKELY_TIMES = ("time", "timestamp", "ts", "at", "@timestamp", "datetime", "date", "created_at", "event_time")

_LOG = ("load", "log")


def read_log(scenario_path: Path, log: Log, schema: Schema) -> TrafficLog:
    """The log of a scenario, in order of time.

    Raises:
        BadInput: its file, or what the scenario says of it, cannot be used.
    """
    file = open_log(beside(scenario_path, log.file))
    reading = _Reading(file, log, schema, Path(scenario_path))
    for line in file.lines():
        reading.take(line)
        if not reading.times and reading.tried >= TRIED_LINES:
            break
    return reading.finished()


@dataclass
class _Broken:
    """Lines that cannot be used: how many, and the first of them."""

    count: int = 0
    first: list[tuple[int, Unusable]] = field(default_factory=list)

    def add(self, number: int, why: Unusable, lines: int) -> None:
        self.count += lines
        if len(self.first) < SHOWN_LINES:
            self.first.append((number, why))

    def numbers(self) -> str:
        """The first lines, for a message."""
        more = ", …" if self.count > len(self.first) else ""
        return f"line{'s' if self.count > 1 else ''} {', '.join(str(number) for number, _ in self.first)}{more}"


class _Reading:
    """A log while it is read.

    Attributes:
        times: of the usable lines, in the order of the file, whole microseconds since the epoch.
        tried: lines so far.
        others: events that hold no request.
    """

    def __init__(self, file: LogFile, log: Log, schema: Schema, scenario: Path) -> None:
        self._file, self._log, self._scenario, self._schema = file, log, scenario, schema
        self._time = parts_of(log.time)
        self._features = parts_of(log.features) if log.features is not None else ()
        self._request = parts_of(log.request) if log.request is not None else None
        self._zone = zone_of(log.zone) if log.zone is not None else None
        self._events = log.format is LogFormat.CLOUDEVENTS
        from_text = file.from_text and self._request is None
        self._columns = Columns(schema, from_text) if log.send is Send.REQUESTS else None
        self._kind: TimeKind | None = None
        self._broken = _Broken()
        self._parsed = self._without_time = self._without_object = self._with_object = self._without_request = 0
        self._first: Mapping[str, Any] | None = None
        self.times = array("q")
        self.tried = self.others = 0
        self._check_columns()

    def _check_columns(self) -> None:
        """Whether a file whose lines all have the same columns has those that the scenario names."""
        columns = self._file.columns
        if columns is not None and self._time[0] not in columns:
            self._refuse_time(dict.fromkeys(columns))
        if self._file.from_text and self._log.features is not None:
            fix = "remove it: the columns themselves are the features"
            self._refuse("features", "no features, as a CSV file has columns and no objects", fix)

    def take(self, line: Line) -> None:
        """Take one line, or keep why it cannot be used."""
        self.tried += line.of_lines
        try:
            if isinstance(line.values, Unusable):
                raise line.values
            self._take(line.values)
        except Unusable as why:
            self._broken.add(line.number, why, line.of_lines)

    def _take(self, values: Mapping[str, Any]) -> None:
        request = request_of_event(values) if self._events else None
        if self._events and request is None:
            self.others += 1
            return
        self._parsed += 1
        self._first = self._first or values
        at_us = self._time_of(values)
        if self._columns is not None:
            row = self._features_of(values) if request is None else row_of_request(request, self._schema)
            self._columns.add(row, values)
        self.times.append(at_us)

    def _time_of(self, values: Mapping[str, Any]) -> int:
        try:
            value = at(values, self._time)
        except LookupError:
            self._without_time += 1
            raise Unusable(f"no {self._log.time}", "the time of the request") from None
        at_us, kind = read_time(value, self._zone)
        self._kind = self._kind or kind
        if kind is not self._kind:
            raise Unusable(f"{shown(value)}, {kind.value}", f"{self._kind.value}, as in the lines before")
        return at_us

    def _features_of(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._request is not None:
            return row_of_request(self._request_in(values, self._request), self._schema)
        try:
            found = at(values, self._features)
        except LookupError:
            found = None
        if not isinstance(found, Mapping):
            self._without_object += 1
            raise Unusable(f"no object at {self._log.features}", "the features of the request")
        self._with_object += 1
        return found

    def _request_in(self, values: Mapping[str, Any], parts: tuple[str, ...]) -> object:
        try:
            return at(values, parts)
        except LookupError:
            self._without_request += 1
            raise Unusable(f"nothing at {self._log.request}", "the whole request, as it was sent") from None

    def finished(self) -> TrafficLog:
        """What was read.

        Raises:
            BadInput: that is no log that could be played.
        """
        if self._parsed and self._without_time == self._parsed:
            self._refuse_time(self._first)
        if self._parsed and self._without_request == self._parsed:
            self._refuse_request(self._log.request or "")
        if self._columns is not None and self._parsed:
            self._check_features(self._columns)
        self._check_broken()
        times = np.array(self.times, dtype=np.int64)
        self._check_times(times)
        order = np.argsort(times, kind="stable")
        rows = self._columns.rows(order) if self._columns is not None else None
        return TrafficLog.of(times[order], rows, tuple(self._notes(times)))

    # mistakes

    def _refuse(self, key: str, expected: str, fix: str, got: str | None = None) -> NoReturn:
        raise BadInput(locate(self._scenario, [Finding((*_LOG, key), expected, fix, got)]))

    def _refuse_time(self, values: object) -> NoReturn:
        names = names_beside(values, self._log.time)
        close = nearest(self._log.time, names) or next((one for one in names if one.strip("/") in LIKELY_TIMES), None)
        got = None if "time" in self._log.model_fields_set else f"no {self._log.time} in {self._file.path.name}"
        fix = f"write {'' if got is None else 'time: '}{close}" if close else "write the one with the times"
        self._refuse("time", f"a place in the lines of {self._file.path.name} ({_some(names)})", fix, got)

    def _refuse_request(self, place: str) -> NoReturn:
        names = names_beside(self._first, place)
        close = nearest(place, names)
        fix = f"write {close}" if close else "write the one with the requests, or features: where these stand alone"
        self._refuse("request", f"a place in the lines of {self._file.path.name} ({_some(names)})", fix)

    def _check_features(self, columns: Columns) -> None:
        """Whether the target's features were found, in one line at least."""
        nowhere = bool(self._without_object) and not self._with_object
        lacking = [name for name, count in columns.nulls.items() if nowhere or (count == len(self.times) > 0)]
        if not lacking:
            return
        place = self._log.request or self._log.features
        likely = None if self._request or self._events else likely_features(self._first, frozenset(lacking))
        fix = "give a log that has them, or write send: times"
        if likely is not None and parts_of(likely) != self._features and likely != (self._log.features or ""):
            fix = f"write features: {likely}" if likely else "remove it: the line itself has them"
        expected = (
            f"a value of {_some(lacking)} in one line of {self._file.path.name} at least, for the target's requests"
        )
        key = "request" if self._request else "format" if self._events else "features"
        self._refuse(key, expected, fix, f"none at {place}" if place else "none")

    def _check_broken(self) -> None:
        broken, lines = self._broken, self.tried
        if not broken.count or (broken.count <= self._log.broken * lines and len(self.times)):
            return
        share = f"{format_share(round(broken.count / lines, 4))} of {lines:,} lines"
        fix = f"mend or remove what cannot be used ({share}: {broken.numbers()})"
        if len(self.times):
            fix += f", or raise load.log.broken above {format_share(self._log.broken)}"
        name = str(self._file.path)
        raise BadInput([Mistake("", why.got, why.expected, fix, number, file=name) for number, why in broken.first])

    def _check_times(self, times: NDArray[np.int64]) -> None:
        name = str(self._file.path)
        if len(times) < FEWEST_LINES:
            got = f"{len(times)} usable line{'s' if len(times) != 1 else ''}"
            fix = "record more traffic"
            if self.others:
                got += f" and {self.others:,} events about something else"
                fix += ", with a logger that logs requests too (their type ends in .request)"
            raise BadInput([Mistake("", got, "two or more", fix, file=name)])
        if times.min() == times.max():
            got, fix = f"one time in all {len(times):,} lines", "write load.log.time: NAME of when each request came"
            raise BadInput([Mistake("", got, "times that differ", fix, file=name)])

    # what is worth knowing

    def _notes(self, times: NDArray[np.int64]) -> Iterator[str]:
        name, kind = self._file.path.name, self._kind or TimeKind.SECONDS
        first = (EPOCH + timedelta(microseconds=int(times.min()))).isoformat(timespec="seconds")
        lasts = format_duration(round(float(times.max() - times.min()) / 1e6, 3))
        yield f"{name}: {len(times):,} requests over {lasts} from {first}, times in {kind.value}"
        if self.others:
            yield f"{name}: {self.others:,} events hold no request and are left out"
        if self._broken.count:
            number, why = self._broken.first[0]
            count = f"{self._broken.count:,} of {self.tried:,} lines"
            yield f"{name}: {count} left out ({self._broken.numbers()}); line {number}: {why}"
        unsorted = int((times < np.maximum.accumulate(times)).sum())
        if unsorted:
            yield f"{name}: {unsorted:,} lines came after a later one, and are sorted by time"
        for feature, nulls in self._columns.changed.items() if self._columns is not None else ():
            if nulls:
                yield f"{name}: {nulls:,} requests send null for {feature}: their lines lack it, or have an empty text"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "")
