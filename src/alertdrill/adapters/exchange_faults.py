"""Which exchanges the faults of a plan touch at one place and how, and the account of what was touched and seen."""

from alertdrill.core.drill_headers import RUN_HEADER, SEQ_HEADER, read_seq
from alertdrill.core.exchange_account import Ended, Event, ExchangeAccount
from alertdrill.core.exchanges import combined
from alertdrill.core.faults.base import Answer, ExchangeEffect, Place
from alertdrill.core.plan import Plan
from alertdrill.core.planned_exchanges import PlannedExchanges
from alertdrill.relay.exchange import Cut, Effect, End, Exchange, Request, Response

MOST_REPLAYED_BYTES = 64_000
REPLAYED_HEADERS = frozenset({b"content-type", b"content-encoding"})


class ExchangeFaults:
    """A relay's handler that puts a plan's exchange faults on the requests of its run, and keeps the account.

    Args:
        plan: the plan; requests of other runs and of nobody pass untouched and uncounted.
        place: where on the wire this is.
        wall_minus_monotonic_s: what turns `time.monotonic` into wall clock.
        account: kept by somebody else; by default its own.
    """

    def __init__(
        self, plan: Plan, place: Place, wall_minus_monotonic_s: float, account: ExchangeAccount | None = None
    ) -> None:
        self._run_id = plan.run_id.encode()
        self._offset_s = wall_minus_monotonic_s
        self._planned = PlannedExchanges(plan, place)
        self._replays = any(fault.effect(0.5, 1.0).replay for _, fault in self._planned)
        self._first_answer: Response | None = None
        self._account = ExchangeAccount() if account is None else account

    def clear(self) -> None:
        """Touch nothing from here on."""
        self._planned.clear()

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
        self._account.saw(seq[0])
        effects = self._planned.effects(*seq)
        if self._first_answer is None:  # a replay of nothing is nothing
            effects = {cause: one for cause, one in effects.items() if not one.replay}
        found = combined(effects)
        return None if found is None else self._relayed(*found)

    def _seq(self, request: Request) -> tuple[int, int] | None:
        """Segment and index of a request of this run."""
        return read_seq(request.header(SEQ_HEADER) or b"") if request.header(RUN_HEADER) == self._run_id else None

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
