"""One drill's faults inside this app: the plan, its lease, and which requests are touched."""

from dataclasses import dataclass

from alertdrill.asgi import Scope, header
from alertdrill.control.leased import Clock, Leased, Unusable
from alertdrill.core.drill_headers import RUN_HEADER, SEQ_HEADER, read_seq
from alertdrill.core.exchanges import cannot_be_inside, combined
from alertdrill.core.faults.base import ExchangeEffect, Place
from alertdrill.core.plan import Plan
from alertdrill.core.planned_exchanges import PlannedExchanges

SHOWN_CHARACTERS = 300


@dataclass(frozen=True)
class Effect:
    """What is done to request `k.i`, and the injections that ask for it."""

    k: int
    i: int
    does: ExchangeEffect
    causes: tuple[str, ...]


class Faults:
    """The exchange faults of a plan at `place: inside`."""

    def __init__(self, plan_json: bytes) -> None:
        """Read a plan and have at hand what it chose. Takes up to some 100 ms: not for an event loop.

        Raises:
            Unusable: it is no plan of this version, or asks for what an ASGI app cannot do.
        """
        try:
            plan = Plan.model_validate_json(plan_json)
        except ValueError as error:
            raise Unusable(f"not a plan of this version: {' '.join(str(error).split())[:SHOWN_CHARACTERS]}") from None
        self.run_id = plan.run_id
        self._planned = PlannedExchanges(plan, Place.INSIDE)
        for injection, fault in self._planned:
            why = cannot_be_inside(fault)
            if why is not None:
                raise Unusable(f"{injection.id}: got place inside, expected {why}")

    def effect(self, k: int, i: int) -> Effect | None:
        """What the plan does to request `k.i`; None if nothing."""
        found = combined(self._planned.effects(k, i))
        return None if found is None else Effect(k, i, *found)


class Drill(Leased):
    """Faults in this app under a lease."""

    def __init__(self, faults: Faults, lease_s: float, clock: Clock) -> None:
        super().__init__(faults.run_id, lease_s, clock)
        self._faults = faults
        self._run = faults.run_id.encode()

    def effect(self, scope: Scope) -> Effect | None:
        """What is done to a request; None if it is not the drill's, or not touched."""
        if header(scope, RUN_HEADER) != self._run or not self.alive:
            return None
        seq = read_seq(header(scope, SEQ_HEADER) or b"")
        if seq is None:
            return None
        self.account.saw(seq[0])
        return self._faults.effect(*seq)
