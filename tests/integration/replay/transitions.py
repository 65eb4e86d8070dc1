"""Live and replayed samples of what rules wrote, and where they differ."""

from collections.abc import Iterable

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import is_stale, label_key

Sample = tuple[tuple[tuple[str, str], ...], int]


def samples(series: Iterable[RawSeries], names: frozenset[str], after_ms: int) -> dict[Sample, float]:
    """Values of samples, markers left out, by labels and time."""
    found = {}
    for one in series:
        if one.labels["__name__"] in names:
            kept = ~is_stale(one.values) & (one.times_ms >= after_ms)
            key = label_key(one.labels)
            found |= {
                (key, at): value
                for at, value in zip(one.times_ms[kept].tolist(), one.values[kept].tolist(), strict=True)
            }
    return found


def differing(
    live: dict[Sample, float], replayed: dict[Sample, float]
) -> list[tuple[Sample, float | None, float | None]]:
    """The samples that are not in both, or with another value."""
    found = []
    for one in sorted({*live, *replayed}, key=lambda sample: sample[1]):
        a, b = live.get(one), replayed.get(one)
        same = a == b or (a is not None and b is not None and a != a and b != b)
        if not same and not (a is not None and b is not None and abs(a - b) <= 1e-9 * max(abs(a), abs(b))):
            found.append((one, a, b))
    return found
