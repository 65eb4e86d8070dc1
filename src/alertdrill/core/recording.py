"""The samples kept from a drill: raw, as the engine stored them, enough to judge it again without the engine.

Text form (schema `alertdrill/samples/v1`): one JSON object with `from_ms`, `to_ms` and `series`; a series has `labels`,
`t` (first time in ms, then differences) and `v` (numbers; "NaN", "+Inf", "-Inf"; "stale" for a staleness marker).
Of replicas that were asked one by one, the object is the first's, and `replicas` holds one such object for each other.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import Selector

SCHEMA = "alertdrill/samples/v1"
STALE_BITS = 0x7FF0000000000002
STALE = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)[0]
_SPECIAL: Mapping[str, float] = {"NaN": math.nan, "+Inf": math.inf, "-Inf": -math.inf, "stale": math.nan}

MARGIN_MS = 5_000

LabelKey = tuple[tuple[str, str], ...]


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values are staleness markers (a NaN of their own: 0x7ff0000000000002); shape of `values`."""
    return np.equal(values.view(np.uint64), STALE_BITS)


def label_key(labels: Mapping[str, str]) -> LabelKey:
    """Labels in a form that can be compared and sorted."""
    return tuple(sorted(labels.items()))


@dataclass(frozen=True, eq=False)
class Recording:
    """Raw samples of the series that the rules in scope read, and of what proves that they were read.

    `replicas` holds those of the further replicas of a Prometheus by name, each on its own clock.
    """

    from_ms: int
    to_ms: int
    series: tuple[RawSeries, ...]
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

    def named(self, name: str, **labels: str) -> tuple[RawSeries, ...]:
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


def with_inferred_markers(series: tuple[RawSeries, ...], replica_label: str = "") -> tuple[RawSeries, ...]:
    """Add the staleness markers that range-vector answers leave out.

    A marker stands at the first `up` sample of the same job and instance at which the series has no sample of its own.
    Only scraped series are marked: what rules write (ALERTS too) can bear the same labels, but other instants.
    Where series of several replicas stand together, each has scrapes of its own, told apart by `replica_label`.
    """
    target = ("job", "instance", replica_label)
    up = {tuple(map(one.labels.get, target)): one.times_ms for one in series if one.labels.get("__name__") == "up"}
    marked = []
    for one in series:
        scrapes = up.get(tuple(map(one.labels.get, target)))
        own_scrape = one.labels.get("__name__") in ("up", "scrape_duration_seconds")
        scraped = scrapes is not None and not own_scrape and bool(np.isin(one.times_ms, scrapes).all())
        marked.append(_marked(one, scrapes) if scraped and scrapes is not None else one)
    return tuple(marked)


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
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def to_json(recording: Recording) -> bytes:
    """The text form of a recording, the same bytes for the same samples."""
    document = {"schema": SCHEMA, **_document(recording)}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _document(recording: Recording) -> dict[str, Any]:
    series = [
        {
            "labels": dict(sorted(one.labels.items())),
            "t": np.diff(one.times_ms, prepend=0).tolist(),
            "v": [_number(v, s) for v, s in zip(one.values.tolist(), is_stale(one.values).tolist(), strict=True)],
        }
        for one in recording.series
    ]
    found = {"from_ms": recording.from_ms, "to_ms": recording.to_ms, "series": series}
    further = {name: _document(one) for name, one in recording.replicas.items()}
    return {**found, "replicas": further} if further else found


def from_json(text: bytes) -> Recording:
    """A recording from its text form.

    Raises:
        ValueError: the text is not such a recording.
    """
    document: dict[str, Any] = json.loads(text)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"expected schema {SCHEMA}")
    try:
        recording = _recording(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a series of the recording lacks {error}") from error
    for one in (recording, *recording.replicas.values()):
        _check(one)
    return recording


def _recording(document: Mapping[str, Any]) -> Recording:
    series = tuple(
        RawSeries(one["labels"], np.cumsum(np.array(one["t"], dtype=np.int64)), _values(one["v"]))
        for one in document["series"]
    )
    further = {name: _recording(one) for name, one in document.get("replicas", {}).items()}
    return Recording(int(document["from_ms"]), int(document["to_ms"]), series, further)


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
