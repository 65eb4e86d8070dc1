"""Which exchanges the faults of a plan touch at one place, and the account of what was touched and seen."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from alertdrill.core.draws import chosen_one, uniform
from alertdrill.core.faults.base import ExchangeFault, Place
from alertdrill.core.plan import Injection, Plan
from alertdrill.relay.exchange import Effect, Exchange, Request, Response

RUN_HEADER = b"x-alertdrill-run"
SEQ_HEADER = b"x-alertdrill-seq"
SEQ_DIGITS = 15

Event = dict[str, Any]


def seq_of(request: Request) -> tuple[int, int] | None:
    """Segment k and index i of a drill's request, or None if it states none as `k.i`."""
    value = request.header(SEQ_HEADER)
    if value is None:
        return None
    k, _, i = value.partition(b".")
    if not (k.isdigit() and i.isdigit() and len(k) <= SEQ_DIGITS and len(i) <= SEQ_DIGITS):
        return None
    return int(k), int(i)


@dataclass
class _Touched:
    """Exchanges that one injection touched in one segment: parallel lists, wall clock in seconds since the epoch."""

    i: list[int] = field(default_factory=list)
    held: list[float | None] = field(default_factory=list)
    released: list[float | None] = field(default_factory=list)
    ended: list[float | None] = field(default_factory=list)
    code: list[int] = field(default_factory=list)


class ExchangeFaults:
    """A relay's handler that puts a plan's exchange faults on the requests of its run, and keeps the account.

    Args:
        plan: the plan; requests of other runs and of nobody pass untouched and uncounted.
        place: where on the wire this is.
        wall_minus_monotonic_s: what turns `time.monotonic` into wall clock.
    """

    def __init__(self, plan: Plan, place: Place, wall_minus_monotonic_s: float) -> None:
        self._run_id = plan.run_id.encode()
        self._seed = plan.seed
        self._offset_s = wall_minus_monotonic_s
        self._faults: dict[int, list[tuple[Injection, ExchangeFault]]] = {}
        for injection in plan.injections:
            if isinstance(injection.fault, ExchangeFault) and injection.place == place:
                self._faults.setdefault(injection.segment, []).append((injection, injection.fault))
        self._seen: Counter[int] = Counter()
        self._touched: dict[tuple[str, int], _Touched] = {}

    def clear(self) -> None:
        """Touch nothing from here on."""
        self._faults.clear()

    def local(self, request: Request) -> Response | None:
        """A fault proxy answers nothing by itself."""
        return None

    def effect(self, request: Request) -> Effect | None:
        """What the plan does to this exchange; delays of several injections add up."""
        if request.header(RUN_HEADER) != self._run_id:
            return None
        seq = seq_of(request)
        if seq is None:
            return None
        k, i = seq
        self._seen[k] += 1
        delay_s, causes = 0.0, []
        for injection, fault in self._faults.get(k, ()):
            if chosen_one(self._seed, injection.id, k, i, injection.share):
                delay_s += fault.effect(uniform(self._seed, f"effect:{injection.id}", k, i)).delay_s
                causes.append(injection.id)
        return Effect(delay_s, tuple(causes)) if causes else None

    def ended(self, exchange: Exchange) -> None:
        """Put a touched exchange on the account."""
        seq = seq_of(exchange.request)
        if exchange.effect is None or seq is None:
            return
        k, i = seq
        ended_at = None if exchange.cut else exchange.ended_at
        for injection_id in exchange.effect.causes:
            touched = self._touched.setdefault((injection_id, k), _Touched())
            touched.i.append(i)
            touched.held.append(self._wall(exchange.held_at))
            touched.released.append(self._wall(exchange.released_at))
            touched.ended.append(self._wall(ended_at))
            touched.code.append(exchange.status or 0)

    def _wall(self, monotonic_s: float | None) -> float | None:
        return None if monotonic_s is None else round(monotonic_s + self._offset_s, 6)

    def events(self) -> list[Event]:
        """What was touched and seen since the last call, as events for the controller."""
        touched, self._touched = self._touched, {}
        seen, self._seen = self._seen, Counter()
        return [
            *[{"event": "touched", "injection": name, "k": k, **vars(one)} for (name, k), one in touched.items()],
            *[{"event": "seen", "k": k, "requests": requests} for k, requests in seen.items()],
        ]
