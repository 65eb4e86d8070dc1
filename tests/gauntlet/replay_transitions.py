"""Live and replayed samples of what rules wrote, and where they differ."""

import math
from collections.abc import Iterable, Mapping

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import LabelKey, is_stale, label_key

Values = Mapping[tuple[LabelKey, int], float]
Difference = tuple[LabelKey, int, float | None, float | None]
"""Labels, time, value live and in the replay; None: there is no sample."""


def samples(series: Iterable[RawSeries], names: frozenset[str], after_ms: int) -> Values:
    """Values of samples, markers left out, by labels and time."""
    found = {}
    for one in series:
        if one.labels["__name__"] in names:
            kept = ~is_stale(one.values) & (one.times_ms >= after_ms)
            key = label_key(one.labels)
            for at, value in zip(one.times_ms[kept].tolist(), one.values[kept].tolist(), strict=True):
                found[key, at] = value
    return found


def differing(live: Values, replayed: Values) -> list[Difference]:
    """What is not in both, or with another value, in order of time."""
    found = [(key, at, live.get((key, at)), replayed.get((key, at))) for key, at in {*live, *replayed}]
    return sorted((one for one in found if not _same(one[2], one[3])), key=lambda one: one[1])


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9) or (math.isnan(one) and math.isnan(other))
