"""Time to detect and where it went: the waterfall, and the floor, expected and worst that the settings allow.

All instants are whole milliseconds on the engine's clock, so that hops add up to ttd exactly.
"""

import math
from dataclasses import dataclass

from alertdrill.core.fill import FillBounds


def whole_intervals_ms(for_ms: int, interval_ms: int) -> int:
    """`for` on the evaluation grid: ceil(for / E) * E, in ms."""
    return -(-for_ms // interval_ms) * interval_ms


@dataclass(frozen=True)
class Instants:
    """The instants of one detection, ms on the engine's clock.

    Attributes:
        fault_start: first confirmed effect.
        served: the first touched exchange was answered or cut; None if unknown.
        crossed: the scrape that made the condition true; None if unknown.
        previous: evaluation before the pending one; None if unknown.
        pending: first active evaluation.
        firing: first firing evaluation.
        clock_error: how far the engine's clock may be from where we put it, ms; None if it was never read. The first
            two instants are ours, the others the engine's own and exact.
        scrapes_apart: from the first to the last scrape that could be `crossed`, ms.
        own_error: how far off the engine's own instants may be on its clock, ms; None: nobody knows.
    """

    fault_start: int
    served: int | None
    crossed: int | None
    previous: int | None
    pending: int
    firing: int
    clock_error: float | None = None
    scrapes_apart: int = 0
    own_error: float | None = 0.0

    def error_s(self, *, clocks: bool = False, scrapes: bool = False) -> float | None:
        """Error bar of a difference of two instants.

        Args:
            clocks: one of them is ours and one the engine's.
            scrapes: one of them is `crossed`.
        """
        if self.own_error is None or (clocks and self.clock_error is None):
            return None
        known = self.own_error + ((self.clock_error or 0.0) if clocks else 0.0)
        return round((known + (self.scrapes_apart if scrapes else 0)) / 1000, 6)


@dataclass(frozen=True)
class Hop:
    """One part of ttd.

    `setting` names what moves it; `floor_s` is the least that the setting allows; `error_s` is how far off `seconds`
    may be, None where nobody knows.
    """

    hop: str
    seconds: float
    floor_s: float | None
    setting: str | None
    error_s: float | None = 0.0


@dataclass(frozen=True)
class Settings:
    """The settings that decide detection time; evaluations see samples up to `age_s` older than those of Prometheus."""

    for_ms: int
    scrape_ms: int
    evaluation_ms: int
    window_s: float
    age_s: float = 0.0


def waterfall(instants: Instants, settings: Settings, fill_low_s: float | None) -> tuple[Hop, ...]:
    """The hops from fault_start to firing; they sum to ttd exactly and none is negative.

    A hop whose instant is unknown, or after pending, is merged with the next. `engine_gap` is what missed evaluations
    cost, taken out of the hops in which they fell.
    """
    hops: list[Hop] = []
    last, seen = instants.fault_start, False
    if instants.served is not None and instants.served <= instants.pending:
        hops.append(_hop("served", instants.served - last, 0.0, None))
        last = instants.served
    if instants.crossed is not None and instants.crossed <= instants.pending:
        crossed = max(instants.crossed, last)
        floor_s = None if fill_low_s is None else max(0.0, round(fill_low_s - (last - instants.fault_start) / 1000, 4))
        window = (
            f"window: {settings.window_s:g}s"
            if settings.window_s
            else f"scrape_interval: {settings.scrape_ms / 1000:g}s"
        )
        hops.append(_hop("crossed", crossed - last, floor_s, window, instants.error_s(clocks=True, scrapes=True)))
        last, seen = crossed, True
    pending_gap = _pending_gap(instants, settings, last)
    hops.append(
        _hop(
            "pending",
            instants.pending - last - pending_gap,
            0.0,
            f"age of samples: up to {settings.age_s:g}s"
            if settings.age_s and not seen
            else f"evaluation_interval: {settings.evaluation_ms / 1000:g}s",
            instants.error_s(clocks=not seen, scrapes=seen),
        )
    )
    held = instants.firing - instants.pending
    planned = whole_intervals_ms(settings.for_ms, settings.evaluation_ms)
    firing_gap = max(0, held - planned)
    waited = f"for: {settings.for_ms / 1000:g}s"
    hops.append(_hop("firing", held - firing_gap, planned / 1000, waited, instants.error_s() if held else 0.0))
    if pending_gap + firing_gap:
        hops.append(_hop("engine_gap", pending_gap + firing_gap, 0.0, None))
    return tuple(hops)


def _pending_gap(instants: Instants, settings: Settings, last: int) -> int:
    """Milliseconds that missed evaluations added before pending."""
    if instants.previous is None:
        return 0
    gap = instants.pending - instants.previous - settings.evaluation_ms
    if gap <= settings.evaluation_ms // 2:
        return 0
    return min(gap, instants.pending - last)


def _hop(name: str, milliseconds: int, floor_s: float | None, setting: str | None, error_s: float | None = 0.0) -> Hop:
    return Hop(name, milliseconds / 1000, floor_s, setting, error_s)


@dataclass(frozen=True)
class Bounds:
    """What ttd can be with these settings, seconds; None where the fill cannot be derived."""

    floor_s: float | None
    expected_s: float | None
    worst_s: float | None


def bounds(fill: FillBounds | None, settings: Settings, phase_ms: int | None, scrape_duration_s: float = 0.0) -> Bounds:
    """Floor, expected and worst ttd.

    floor = earliest fill + ceil(for / E) * E; worst = sure fill + the same + S + E (+ the longest scrape, once it is
    measured); expected = likely fill + S / 2 + delta + ceil(for / E) * E with delta = (evaluation - scrape) mod E.

    Args:
        fill: bounds of the fill.
        settings: intervals, `for` and window.
        phase_ms: delta in ms where it was measured; None stands for its mean, E / 2.
        scrape_duration_s: a sample is visible this long after its timestamp.
    """
    if fill is None or math.isinf(fill.low_s):
        return Bounds(None, None, None)
    for_s = whole_intervals_ms(settings.for_ms, settings.evaluation_ms) / 1000
    scrape_s, evaluation_s = settings.scrape_ms / 1000, settings.evaluation_ms / 1000
    delta_s = evaluation_s / 2 if phase_ms is None else phase_ms / 1000
    worst = None if math.isinf(fill.high_s) else fill.high_s + for_s + scrape_s + evaluation_s + scrape_duration_s
    return Bounds(
        floor_s=round(fill.low_s + for_s, 3),
        expected_s=round(fill.likely_s + scrape_s / 2 + delta_s + for_s, 3),
        worst_s=None if worst is None else round(worst, 3),
    )
