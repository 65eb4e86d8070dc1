"""From the label sets that an expression returns to what the engine writes: ALERTS, its state, and staleness markers.

prometheus/rules/alerting.go, `AlertingRule.Eval`, and rules/group.go, `Group.Eval`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import STALE_BITS, LabelKey, label_key

Instants = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Active:
    """One alert between two stretches of evaluations; instants in ms, None: its condition holds."""

    since_ms: int
    firing: bool = False
    kept_since_ms: int | None = None


class Written:
    """Adds the markers that an engine writes where a series is no longer returned by its rule."""

    def __init__(self) -> None:
        self._present: set[LabelKey] = set()

    def series(self, times_ms: Instants, found: Mapping[LabelKey, tuple[Mask, Floats]]) -> list[RawSeries]:
        """The samples of one stretch of evaluations, in order of time.

        Args:
            times_ms: shape (n,): the evaluations that succeeded.
            found: by label set when it was returned, and its values; both of shape (n,).
        """
        written = []
        for key in sorted({*found, *self._present}):
            mask, values = found.get(key, (np.zeros(len(times_ms), dtype=bool), np.zeros(len(times_ms))))
            before = np.concatenate([[key in self._present], mask[:-1]]) if len(mask) else mask
            vanished = before & ~mask
            kept = mask | vanished
            if kept.any():
                samples = values.copy()
                samples.view(np.uint64)[vanished] = STALE_BITS
                written.append(RawSeries(dict(key), times_ms[kept], samples[kept]))
            if len(mask):
                (self._present.add if mask[-1] else self._present.discard)(key)
        return written


class AlertState:
    """The alerts of one rule as evaluations go on, stretch by stretch.

    Args:
        hold_ms: `for`.
        keep_ms: `keep_firing_for`.
        active: the alerts, by their labels, that are active before the first evaluation.
    """

    def __init__(self, hold_ms: int, keep_ms: int, active: Mapping[LabelKey, Active]) -> None:
        self._hold_ms, self._keep_ms = hold_ms, keep_ms
        self._active = dict(active)
        self._written = Written()

    def series(self, times_ms: Instants, present: Mapping[LabelKey, Mask]) -> list[RawSeries]:
        """What the engine writes of ALERTS and ALERTS_FOR_STATE in one stretch of evaluations.

        Args:
            times_ms: shape (n,): the evaluations that succeeded; of those that failed the state is held.
            present: by label set of an alert (`alertname` included) at which of them its condition held, shape (n,).
        """
        found: dict[LabelKey, tuple[Mask, Floats]] = {}
        for key in sorted({*present, *self._active}):
            mask = present.get(key, np.zeros(len(times_ms), dtype=bool))
            pending, firing, since_s = self._one(key, times_ms, mask)
            labels, ones = dict(key), np.ones(len(times_ms))
            for state, on in (("pending", pending), ("firing", firing)):
                if on.any():
                    found[label_key({**labels, "__name__": "ALERTS", "alertstate": state})] = on, ones
            if (pending | firing).any():
                found[label_key({**labels, "__name__": "ALERTS_FOR_STATE"})] = pending | firing, since_s
        return self._written.series(times_ms, found)

    def _one(self, key: LabelKey, times_ms: Instants, mask: Mask) -> tuple[Mask, Mask, Floats]:
        """When one alert was pending and firing, and since when (whole seconds)."""
        count = len(times_ms)
        pending, firing, since_s = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool), np.zeros(count)
        alert = self._active.pop(key, None)
        edges = [0, *(np.flatnonzero(mask[1:] != mask[:-1]) + 1).tolist(), count] if count else []
        for begin, end in pairwise(edges):
            if mask[begin]:
                alert = Active(int(times_ms[begin])) if alert is None else alert
                fires = begin
                if not alert.firing:
                    fires += int(np.searchsorted(times_ms[begin:end], alert.since_ms + self._hold_ms))
                pending[begin:fires], firing[fires:end] = True, True
                since_s[begin:end] = alert.since_ms // 1000
                alert = Active(alert.since_ms, fires < end)
            elif alert is not None:
                kept, alert = self._absent(alert, times_ms[begin:end])
                firing[begin : begin + kept[0]], since_s[begin : begin + kept[0]] = True, kept[1]
        if alert is not None:
            self._active[key] = alert
        return pending, firing, since_s

    def _absent(self, alert: Active, times_ms: Instants) -> tuple[tuple[int, int], Active | None]:
        """For how many evaluations an alert fires on without its condition, since when (s), and what is left of it."""
        since_s = alert.since_ms // 1000
        if not alert.firing or not self._keep_ms:
            return (0, since_s), None
        kept_since = int(times_ms[0]) if alert.kept_since_ms is None else alert.kept_since_ms
        kept = int(np.searchsorted(times_ms, kept_since + self._keep_ms))
        left = Active(alert.since_ms, True, kept_since) if kept == len(times_ms) else None
        return (kept, since_s), left
