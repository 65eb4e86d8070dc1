"""Which requests a segment has: planned arrivals, those that arrival faults take away, and those that they add."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.draws import uniforms
from alertdrill.core.faults.base import ArrivalContext, ArrivalFault, Change, Fault
from alertdrill.core.profiles import Scaled
from alertdrill.core.timeline import Arrivals, arrival_times, further_times

if TYPE_CHECKING:
    from alertdrill.core.plan import Injection

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The requests of one segment, by index i in order of time. All arrays have shape (n,).

    Attributes:
        at: when each is due, seconds from the segment's start, ascending.
        origin: index of the request whose body each one has: its own, or for a retry that of the first attempt.
        planned: which of the planned arrivals each one is, from 0; -1 for those that a fault adds.
        sent: False for arrivals that a fault suppresses; they keep their index.
        touched: by arrival injection, the requests that it suppresses or adds.
    """

    at: Floats
    origin: NDArray[np.int64]
    planned: NDArray[np.int64]
    sent: Mask
    touched: Mapping[str, Mask]

    def __len__(self) -> int:
        return len(self.at)


def strength(fault: Fault, at_s: Floats, scaled: Scaled) -> Floats:
    """Factor of a fault's share or dose at seconds `at_s` of its phase, shape (n,); 1 where no profile scales it."""
    if fault.profile is None or fault.profile.of is not scaled:
        return np.ones(len(at_s))
    return fault.profile.strength(at_s)


def make_schedule(
    arrivals: Arrivals, seed: int, k: int, duration_s: float, injections: Sequence["Injection"]
) -> Schedule:
    """The schedule of segment `k`.

    Args:
        arrivals: recipe of the planned arrivals.
        seed: of the drill.
        k: number of the segment.
        duration_s: the longest it can last.
        injections: all of the segment; those of arrival faults are applied, each to the planned arrivals alone.
    """
    at = arrival_times(arrivals, seed, k, duration_s)
    own = np.arange(len(at))
    lost = np.zeros(len(at), dtype=bool)
    parts, repeats, causes = [at], [own], [np.full(len(at), "", dtype=object)]
    losses: dict[str, Mask] = {}
    for injection in injections:
        if isinstance(injection.fault, ArrivalFault):
            change = injection.fault.change(
                at, _context(injection.fault, injection.id, at, arrivals, seed, k, duration_s)
            )
            within = _within(change, duration_s)
            losses[injection.id] = change.lost
            lost |= change.lost
            parts.append(change.at[within])
            repeats.append(change.repeats[within])
            causes.append(np.full(int(within.sum()), injection.id, dtype=object))
    if not losses:
        return Schedule(at, own, own, ~lost, {})
    return _merged(parts, repeats, causes, lost, losses)


def _within(change: Change, duration_s: float) -> Mask:
    return np.asarray((change.at >= 0) & (change.at < duration_s))


def _merged(
    parts: list[Floats],
    repeats: list[NDArray[np.int64]],
    causes: list[NDArray[np.object_]],
    lost: Mask,
    losses: Mapping[str, Mask],
) -> Schedule:
    times, repeated, cause = np.concatenate(parts), np.concatenate(repeats), np.concatenate(causes)
    order = np.argsort(times, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    origin = np.where(repeated[order] >= 0, place[repeated[order]], np.arange(len(order)))
    own = place[: len(parts[0])]
    planned = np.full(len(order), -1, dtype=np.int64)
    planned[own] = np.arange(len(own))
    suppressed = np.zeros(len(order), dtype=bool)
    suppressed[own] = lost
    touched = {}
    for name, mask in losses.items():
        touched[name] = cause[order] == name
        touched[name][own] |= mask
    # A retry of a request that was never sent is none.
    sent = ~suppressed & (~suppressed[origin] | (origin == np.arange(len(order))))
    return Schedule(times[order], origin, planned, sent, touched)


def _context(
    fault: ArrivalFault, injection_id: str, at: Floats, arrivals: Arrivals, seed: int, k: int, duration_s: float
) -> ArrivalContext:
    def draws(name: str, count: int) -> Floats:
        return uniforms(seed, f"{name}:{injection_id}", k, 0, count)

    def share(at_s: Floats) -> Floats:
        return fault.share * strength(fault, at_s, Scaled.SHARE)

    def more(name: str, factor: float) -> Floats:
        return further_times(arrivals, factor, seed, k, duration_s, f"{name}:{injection_id}")

    return ArrivalContext(
        touched=uniforms(seed, f"choose:{injection_id}", k, 0, len(at)) < share(at),
        duration_s=duration_s,
        more=more,
        draws=draws,
        share=share,
        dose=lambda at_s: strength(fault, at_s, Scaled.DOSE),
    )


Index = Callable[[Floats], NDArray[np.int64]]


def newest_by(schedule: Schedule) -> Index:
    """Seconds from the segment's start to the index of the newest request due by then; 0 before the first."""

    def index_at(at_s: Floats) -> NDArray[np.int64]:
        return np.maximum(np.searchsorted(schedule.at, at_s, side="right") - 1, 0)

    return index_at
