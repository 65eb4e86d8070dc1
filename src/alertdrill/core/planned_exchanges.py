"""What the exchange faults of a plan do at one place, request by request: for a proxy as for an app."""

from collections.abc import Iterator

from alertdrill.core.draws import uniform
from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault, Place
from alertdrill.core.plan import Injection, Plan
from alertdrill.core.touch import Touch


class PlannedExchanges:
    """The exchange faults of a plan at one place.

    Making one takes up to some 100 ms, as everything is worked out for which no exchange should wait.
    """

    def __init__(self, plan: Plan, place: Place) -> None:
        self._seed = plan.seed
        self._touch = Touch(plan)
        self._by_segment: dict[int, list[tuple[Injection, ExchangeFault]]] = {}
        for injection in plan.injections:
            fault = injection.fault
            if isinstance(fault, ExchangeFault) and injection.place is place:
                self._by_segment.setdefault(injection.segment, []).append((injection, fault))
                self._touch.one(injection, 0)

    def __iter__(self) -> Iterator[tuple[Injection, ExchangeFault]]:
        """The injections with their faults."""
        return (one for segment in self._by_segment.values() for one in segment)

    def effects(self, k: int, i: int) -> dict[str, ExchangeEffect]:
        """By injection, what is done to request `k.i` if it gets here; nothing for most."""
        return {
            injection.id: fault.effect(
                uniform(self._seed, f"effect:{injection.id}", k, i), self._touch.dose_one(injection, i)
            )
            for injection, fault in self._by_segment.get(k, ())
            if self._touch.one(injection, i)
        }

    def clear(self) -> None:
        """Do nothing from here on."""
        self._by_segment.clear()
