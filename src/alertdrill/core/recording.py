"""The samples kept from a drill: raw, as the engine stored them, enough to judge or replay it without that engine.

The form of the file is in docs/recording.md: schema `alertdrill/samples/v2`; v1 is read as well.
"""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import Selector

SCHEMA = "alertdrill/samples/v2"
FIRST_SCHEMA = "alertdrill/samples/v1"
STALE_BITS = 0x7FF0000000000002
_NAN_BITS = 0x7FF8000000000001
"""The NaN that Prometheus writes where arithmetic gives none other."""

STALE = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)[0]
_SPECIAL: Mapping[str, float] = {"NaN": math.nan, "+Inf": math.inf, "-Inf": -math.inf, "stale": math.nan}

MARGIN_MS = 5_000
GONE_INTERVALS = 3
ALWAYS = ("ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "up")
"""Series that every recording holds, those of all targets and alerts."""

LabelKey = tuple[tuple[str, str], ...]


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values are staleness markers (a NaN of their own: 0x7ff0000000000002); shape of `values`."""
    return np.equal(values.view(np.uint64), STALE_BITS)


def label_key(labels: Mapping[str, str]) -> LabelKey:
    """Labels in a form that can be compared and sorted."""
    return tuple(sorted(labels.items()))


@dataclass(frozen=True)
class RecordedGroup:
    """A rule group of the engine; its evaluations lie at multiples of its interval plus `phase_ms` since the epoch."""

    file: str
    name: str
    interval_ms: int
    phase_ms: int


@dataclass(frozen=True)
class Source:
    """Where the samples of a recording come from, and which evidence they belong to.

    Attributes:
        version: of the engine; empty where nobody asked.
        lookback_s: how long the engine takes a sample for current that no marker ends.
        external_labels: that the engine adds to what it sends.
        groups: its rule groups.
        selectors: what was asked for, without ranges; None: what the rules in scope read.
        since_ms: from when on it was asked for, engine clock; None: since the engine was started.
        markers: whether the engine told its staleness markers, or they were inferred from `up`.
        plan_sha256: of plan.json beside it; None while the drill runs.
        journal_sha256: of the first `journal_bytes` of journal.jsonl beside it.
        journal_bytes: how long the journal was; notices that came later follow.
    """

    version: str = ""
    lookback_s: float = 300.0
    external_labels: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[RecordedGroup, ...] = ()
    selectors: tuple[str, ...] | None = None
    since_ms: int | None = None
    markers: Literal["remote_read", "inferred"] = "inferred"
    plan_sha256: str | None = None
    journal_sha256: str | None = None
    journal_bytes: int = 0


@dataclass(frozen=True, eq=False)
class Recording:
    """Raw samples of the series that the rules in scope read, and of what proves that they were read.

    Attributes:
        from_ms, to_ms: the drill, engine clock; samples begin earlier, by what rules look back.
        series: sorted by their labels, staleness markers among their samples.
        source: where they come from.
        replicas: those of the further replicas of a Prometheus by name, each on its own clock.
    """

    from_ms: int
    to_ms: int
    series: tuple[RawSeries, ...]
    source: Source = Source()
    replicas: Mapping[str, "Recording"] = field(default_factory=dict)

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[RawSeries, ...]]:
        """The series of each metric, staleness markers left out."""
        found: dict[str, list[RawSeries]] = defaultdict(list)
        for one in self.series:
            found[one.labels.get("__name__", "")].append(_live(one))
        return {name: tuple(series) for name, series in found.items()}

    def select(self, selector: Selector) -> tuple[RawSeries, ...]:
        """The series that a selector reads, staleness markers left out."""
        return tuple(_live(one) for one in self.series if selector.matches(one.labels))

    def named(self, name: str, /, **labels: str) -> tuple[RawSeries, ...]:
        """The series of a metric that have these labels, staleness markers left out."""
        series = self._by_name.get(name, ())
        return tuple(one for one in series if all(one.labels.get(k) == v for k, v in labels.items()))


def _live(series: RawSeries) -> RawSeries:
    keep = ~is_stale(series.values)
    return series if keep.all() else RawSeries(series.labels, series.times_ms[keep], series.values[keep])


def merge(parts: Iterable[RawSeries]) -> tuple[RawSeries, ...]:
    """One series a label set, samples in order of time, each instant once; series sorted by their labels."""
    found: dict[LabelKey, list[RawSeries]] = defaultdict(list)
    for part in parts:
        found[label_key(part.labels)].append(part)
    merged = []
    for key in sorted(found):
        times = np.concatenate([part.times_ms for part in found[key]])
        values = np.concatenate([part.values for part in found[key]])
        times, first = np.unique(times, return_index=True)
        merged.append(RawSeries(dict(key), times, values[first]))
    return tuple(merged)


def with_inferred_markers(series: tuple[RawSeries, ...], to_ms: int, replica_label: str = "") -> tuple[RawSeries, ...]:
    """Add the staleness markers that range-vector answers leave out.

    A marker stands at the first `up` sample of the same job and instance at which the series has no sample of its own,
    and an interval after the last `up` sample of a target that was not scraped for three before the end (`to_ms`).
    Only scraped series are marked: what rules write (ALERTS too) can bear the same labels, but other instants.
    Where series of several replicas stand together, each has scrapes of its own, told apart by `replica_label`.
    """
    target = ("job", "instance", replica_label)
    up = {
        tuple(map(one.labels.get, target)): _with_end(one.times_ms, to_ms)
        for one in series
        if one.labels.get("__name__") == "up"
    }
    marked = []
    for one in series:
        scrapes = up.get(tuple(map(one.labels.get, target)))
        scraped = scrapes is not None and bool(np.isin(one.times_ms, scrapes).all())
        marked.append(_marked(one, scrapes) if scraped and scrapes is not None else one)
    return tuple(marked)


def _with_end(scrapes_ms: NDArray[np.int64], to_ms: int) -> NDArray[np.int64]:
    """The scrapes of a target, and when it was not scraped any more, where it left before the end."""
    if len(scrapes_ms) < 2:
        return scrapes_ms
    interval = int(np.median(np.diff(scrapes_ms)))
    left = int(scrapes_ms[-1]) + GONE_INTERVALS * interval < to_ms
    return np.append(scrapes_ms, scrapes_ms[-1] + interval) if left else scrapes_ms


def _marked(series: RawSeries, scrapes_ms: NDArray[np.int64]) -> RawSeries:
    position = np.searchsorted(scrapes_ms, series.times_ms, side="right")
    following = np.append(series.times_ms[1:], np.iinfo(np.int64).max)
    has_next = position < len(scrapes_ms)
    candidate = np.where(has_next, scrapes_ms[np.minimum(position, len(scrapes_ms) - 1)], np.iinfo(np.int64).max)
    at = candidate[candidate < following]
    times = np.concatenate([series.times_ms, at])
    values = np.concatenate([series.values, np.full(len(at), STALE)])
    order = np.argsort(times, kind="stable")
    return RawSeries(series.labels, times[order], values[order])


def _number(value: float, stale: bool) -> float | str:
    if stale:
        return "stale"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    whole = value.is_integer() and abs(value) < 2**53 and (value or math.copysign(1.0, value) > 0)
    return int(value) if whole else value


def digest(recording: Recording) -> str:
    """SHA-256 of what a recording says, however it is written: hex."""
    found = hashlib.sha256(
        json.dumps([recording.from_ms, recording.to_ms, asdict(recording.source)], sort_keys=True).encode()
    )
    for one in recording.series:
        found.update(json.dumps(sorted(one.labels.items())).encode())
        found.update(one.times_ms.astype("<i8").tobytes())
        bits = one.values.view(np.uint64).copy()
        bits[np.isnan(one.values) & ~is_stale(one.values)] = _NAN_BITS
        found.update(bits.astype("<u8").tobytes())
    for name, replica in sorted(recording.replicas.items()):
        found.update(f"{name} {digest(replica)}".encode())
    return found.hexdigest()


def to_json(recording: Recording) -> bytes:
    """The text form of a recording, the same bytes for the same samples."""
    document = {"schema": SCHEMA, **_document(recording), "sha256": digest(recording)}
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _document(recording: Recording) -> dict[str, Any]:
    columns: dict[bytes, int] = {}
    series = [
        {
            "labels": dict(sorted(one.labels.items())),
            "t": columns.setdefault(one.times_ms.tobytes(), len(columns)),
            "v": [_number(v, s) for v, s in zip(one.values.tolist(), is_stale(one.values).tolist(), strict=True)],
        }
        for one in recording.series
    ]
    found = {
        "from_ms": recording.from_ms,
        "to_ms": recording.to_ms,
        "source": asdict(recording.source),
        "times": [np.diff(np.frombuffer(one, dtype=np.int64), prepend=0).tolist() for one in columns],
        "series": series,
    }
    further = {name: _document(one) for name, one in recording.replicas.items()}
    return {**found, "replicas": further} if further else found


def from_json(text: bytes) -> Recording:
    """A recording from its text form.

    Raises:
        ValueError: the text is not such a recording, or was changed since it was written.
    """
    document = orjson.loads(text)
    if not isinstance(document, dict) or document.get("schema") not in (SCHEMA, FIRST_SCHEMA):
        raise ValueError(f"expected schema {SCHEMA}")
    try:
        recording = _first(document) if document["schema"] == FIRST_SCHEMA else _second(document)
        for one in (recording, *recording.replicas.values()):
            _check(one)
        found = digest(recording)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"a series of the recording lacks {error}") from error
    if document["schema"] == SCHEMA and document.get("sha256") != found:
        raise ValueError("the samples are not those that were written: their hash differs")
    return recording


def _first(document: Mapping[str, Any]) -> Recording:
    """Schema v1: every series had its own times, and nothing was said of the engine."""
    series = tuple(
        RawSeries(one["labels"], np.cumsum(np.array(one["t"], dtype=np.int64)), _values(one["v"]))
        for one in document["series"]
    )
    further = {name: _first(one) for name, one in document.get("replicas", {}).items()}
    return Recording(int(document["from_ms"]), int(document["to_ms"]), series, replicas=further)


def _second(document: Mapping[str, Any]) -> Recording:
    columns = [np.cumsum(np.array(one, dtype=np.int64)) for one in document["times"]]
    series = tuple(RawSeries(one["labels"], columns[one["t"]], _values(one["v"])) for one in document["series"])
    source = dict(document["source"])
    source["groups"] = tuple(RecordedGroup(**one) for one in source["groups"])
    source["selectors"] = None if source["selectors"] is None else tuple(source["selectors"])
    further = {name: _second(one) for name, one in document.get("replicas", {}).items()}
    return Recording(int(document["from_ms"]), int(document["to_ms"]), series, Source(**source), further)


def _check(recording: Recording) -> None:
    """Raise ValueError where times and values do not belong together, or lie outside the recording."""
    if recording.from_ms > recording.to_ms:
        raise ValueError("the recording ends before it begins")
    for one in recording.series:
        if len(one.times_ms) != len(one.values):
            raise ValueError(f"{len(one.times_ms)} times, {len(one.values)} values in one series")
        if len(one.times_ms) and int(one.times_ms.max()) > recording.to_ms + MARGIN_MS:
            raise ValueError("a sample lies after the end of the recording")


def _values(values: list[float | str]) -> NDArray[np.float64]:
    numbers = np.array([_SPECIAL[v] if isinstance(v, str) else v for v in values], dtype=np.float64)
    bits = numbers.view(np.uint64)
    bits[[v == "stale" for v in values]] = STALE_BITS
    return numbers
