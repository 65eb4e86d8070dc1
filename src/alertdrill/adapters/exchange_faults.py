"""Which exchanges the faults of a plan touch at one place and how, and the account of what was touched and seen."""

from alertdrill.core.draws import uniform
from alertdrill.core.drill_headers import RUN_HEADER, SEQ_HEADER, read_seq
from alertdrill.core.exchange_account import Ended, Event, ExchangeAccount
from alertdrill.core.exchanges import combined
from alertdrill.core.faults.base import Answer, ExchangeEffect, ExchangeFault, Place
from alertdrill.core.plan import Injection, Plan
from alertdrill.core.touch import Touch
from alertdrill.relay.exchange import Cut, Effect, End, Exchange, Request, Response

MOST_REPLAYED_BYTES = 64_000
REPLAYED_HEADERS = frozenset({b"content-type", b"content-encoding"})


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
        self._touch = Touch(plan)
        self._offset_s = wall_minus_monotonic_s
        self._faults: dict[int, list[tuple[Injection, ExchangeFault]]] = {}
        self._replays = False
        for injection in plan.injections:
            fault = injection.fault
            if isinstance(fault, ExchangeFault) and injection.place is place:
                self._faults.setdefault(injection.segment, []).append((injection, fault))
                self._replays |= fault.effect(0.5, 1.0).replay
                self._touch.one(injection, 0)  # works out what it needs of the plan, for which no exchange should wait
        self._first_answer: Response | None = None
        self._account = ExchangeAccount()

    def clear(self) -> None:
        """Touch nothing from here on."""
        self._faults.clear()

    def local(self, request: Request) -> Response | None:
        """A fault proxy answers nothing by itself."""
        return None

    def effect(self, request: Request) -> Effect | None:
        """What the plan does to this exchange.

        Delays, uploads and downloads of several injections add up; of what else they do, the first in the scenario's
        order stands. The causes are those that take part: not one whose dose is 0 here, or which is not the first.
        """
        seq = self._seq(request)
        if seq is None:
            return None
        k, i = seq
        self._account.saw(k)
        found = combined(
            {
                injection.id: self._planned(injection, fault, k, i)
                for injection, fault in self._faults.get(k, ())
                if self._touch.one(injection, i)
            }
        )
        return None if found is None else self._relayed(*found)

    def _seq(self, request: Request) -> tuple[int, int] | None:
        """Segment and index of a request of this run."""
        return read_seq(request.header(SEQ_HEADER) or b"") if request.header(RUN_HEADER) == self._run_id else None

    def _planned(self, injection: Injection, fault: ExchangeFault, k: int, i: int) -> ExchangeEffect:
        """One injection's effect; a replay of nothing is nothing."""
        draw = uniform(self._seed, f"effect:{injection.id}", k, i)
        effect = fault.effect(draw, self._touch.dose_one(injection, i))
        return ExchangeEffect() if effect.replay and self._first_answer is None else effect

    def _relayed(self, planned: ExchangeEffect, causes: tuple[str, ...]) -> Effect:
        """An effect in the relay's terms."""
        answer = _response(planned.answer) if planned.answer is not None else None
        return Effect(
            delay_s=planned.delay_s,
            upload_s=planned.upload_s,
            answer=self._first_answer if planned.replay else answer,
            cut=Cut(planned.cut) if planned.cut is not None else None,
            edit=planned.edit,
            kept=planned.kept,
            download_s=planned.download_s,
            causes=causes,
        )

    def ended(self, exchange: Exchange) -> None:
        """Put a touched exchange on the account; keep the first answer to an untouched one, if it may be replayed."""
        if exchange.effect is not None:
            self._settle(exchange, exchange.effect)
        elif (
            self._replays and self._first_answer is None and _can_be_replayed(exchange) and self._seq(exchange.request)
        ):
            headers = tuple(header for header in exchange.response_headers if header[0] in REPLAYED_HEADERS)
            self._first_answer = Response(200, headers, exchange.response_body)

    def _settle(self, exchange: Exchange, effect: Effect) -> None:
        seq = self._seq(exchange.request)
        if seq is None:
            return
        ended = Ended(
            effect_at=self._wall(exchange.effect_at),
            released=self._wall(exchange.released_at),
            ended=None if exchange.cut else self._wall(exchange.ended_at),
            code=exchange.status or 0,
        )
        for cause in effect.causes:
            self._account.touched(cause, *seq, ended)

    def _wall(self, monotonic_s: float | None) -> float | None:
        return None if monotonic_s is None else round(monotonic_s + self._offset_s, 6)

    def events(self) -> list[Event]:
        """What was touched and seen since the last call, as events for the controller."""
        return self._account.take()


def _response(answer: Answer) -> Response:
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers)
    return Response(answer.status, headers, answer.body)


def _can_be_replayed(exchange: Exchange) -> bool:
    whole = exchange.end is End.ANSWERED and exchange.status == 200
    return whole and 0 < len(exchange.response_body) <= MOST_REPLAYED_BYTES
