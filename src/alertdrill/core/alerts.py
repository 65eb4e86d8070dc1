"""From raw samples of ALERTS to episodes: one pending → firing → resolved run of one label set.

Instants are the engine's own evaluation timestamps in whole milliseconds. An alert is resolved one evaluation interval
after its last firing sample. A hole in the samples ends an episode only if the rule was evaluated inside the hole: an
engine that stood still did not resolve anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries

GAP_INTERVALS = 1.5


@dataclass(frozen=True)
class Episode:
    """One run of one label set.

    Attributes:
        alert: the alert's name.
        labels: its labels without `__name__`, `alertname` and `alertstate`.
        pending_at: first sample, pending or firing, in ms since the epoch.
        firing_at: first firing sample in ms; None if it never fired.
        resolved_at: evaluation at which it was first inactive again, in ms; None if it was active to the end.
        last_at: last sample in ms.
    """

    alert: str
    labels: tuple[tuple[str, str], ...]
    pending_at: int
    firing_at: int | None
    resolved_at: int | None
    last_at: int

    @property
    def label_map(self) -> dict[str, str]:
        """The labels as a mapping, `alertname` included."""
        return {"alertname": self.alert, **dict(self.labels)}

    def active_at(self, at_ms: int) -> bool:
        """Whether the alert was pending or firing at an instant (ms)."""
        return self.pending_at <= at_ms and (self.resolved_at is None or at_ms < self.resolved_at)


def _points(series: Iterable[RawSeries]) -> Mapping[tuple[str, tuple[tuple[str, str], ...]], list[tuple[int, bool]]]:
    """Per alert and label set, its samples as (ms, firing)."""
    points: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[int, bool]]] = defaultdict(list)
    for one in series:
        labels = dict(one.labels)
        labels.pop("__name__", None)
        name, state = labels.pop("alertname", ""), labels.pop("alertstate", "")
        points[name, tuple(sorted(labels.items()))] += [(int(t), state == "firing") for t in one.times_ms]
    return points


def _evaluated_between(evaluations_ms: NDArray[np.int64], after: int, before: int, slack: float) -> bool:
    """Whether an evaluation lies strictly inside, `slack` ms away from both ends."""
    low, high = np.searchsorted(evaluations_ms, [after + slack, before - slack], side="right")
    return bool(high > low)


def episodes(
    series: Iterable[RawSeries], interval_ms: int, evaluations_ms: NDArray[np.int64], end_ms: int
) -> tuple[Episode, ...]:
    """The episodes in raw samples of ALERTS, ordered by pending_at.

    Args:
        series: samples of `ALERTS`, any number of alerts and label sets.
        interval_ms: evaluation interval of their group.
        evaluations_ms: shape (n,), ascending; when the group is known to have been evaluated.
        end_ms: when the samples were read; a run that reaches within 1.5 intervals of it, or after which nothing was
            evaluated any more, is still active.
    """
    found = []
    for (alert, labels), points in _points(series).items():
        points.sort()
        run: list[tuple[int, bool]] = []
        for point in points:
            if run and _is_hole(run[-1][0], point[0], interval_ms, evaluations_ms):
                found.append(_episode(alert, labels, run, run[-1][0] + interval_ms))
                run = []
            run.append(point)
        resolved = _is_hole(run[-1][0], end_ms, interval_ms, evaluations_ms)
        found.append(_episode(alert, labels, run, run[-1][0] + interval_ms if resolved else None))
    return tuple(sorted(found, key=lambda e: (e.pending_at, e.alert, e.labels)))


def _is_hole(last_ms: int, next_ms: int, interval_ms: int, evaluations_ms: NDArray[np.int64]) -> bool:
    if next_ms - last_ms <= GAP_INTERVALS * interval_ms:
        return False
    return _evaluated_between(evaluations_ms, last_ms, next_ms, interval_ms / 2)


def _episode(
    alert: str, labels: tuple[tuple[str, str], ...], run: list[tuple[int, bool]], resolved_at: int | None
) -> Episode:
    firing = next((at for at, is_firing in run if is_firing), None)
    return Episode(alert, labels, run[0][0], firing, resolved_at, run[-1][0])
