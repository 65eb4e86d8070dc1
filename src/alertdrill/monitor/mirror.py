"""Exchanges from the events that a payload logger posts: requests and answers joined by their id."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping

from alertdrill.monitor.account import Account
from alertdrill.monitor.answers import as_answer
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.notes import UNKNOWN_CODE, Batch, Note, Taker
from alertdrill.protocols.cloud_events import BadEvent, Event, Kind, read_events

JOIN_S = 30.0
LONGEST_DURATION_S = 3600.0
MOST_PENDING = 20_000
MOST_PENDING_BYTES = 64 << 20
BAD = "bad"
OK_CODE = 200


class Mirror(Taker):
    """Waits for the other half of every exchange, for a time and within bounds.

    A request without an answer counts with code "unknown": the logger posts no answers but those with status 200, and
    may be set to post none. An answer without a request counts as a prediction on a row that was not seen.

    Args:
        labels: of the model, put on every series.
        join_s: seconds that a half waits for the other.
        clock: seconds that never go back.
    """

    def __init__(
        self, labels: Mapping[str, str], join_s: float = JOIN_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._labels, self._join_s, self._clock = dict(labels), join_s, clock
        self._pending: OrderedDict[str, tuple[Event, float]] = OrderedDict()
        self._pending_bytes = 0
        self._events = dict.fromkeys((*(kind.value for kind in Kind), BAD), 0)
        self._unjoined = dict.fromkeys((Kind.REQUEST.value, Kind.RESPONSE.value), 0)
        self._account: Account | None = None

    def note_in(self, account: Account) -> None:
        """Say where joined exchanges are noted."""
        self._account = account

    def post(self, headers: Mapping[bytes, bytes], body: bytes) -> None:
        """Take what was posted.

        Raises:
            BadEvent: it is no event.
        """
        try:
            events = read_events(headers, body)
        except BadEvent:
            self._events[BAD] += 1
            raise
        for event in events:
            self._events[event.kind.value] += 1
            if event.kind is not Kind.OTHER:
                self._take(event)

    def _take(self, event: Event) -> None:
        waiting = self._pending.get(event.id)
        if waiting is not None:
            self._forget(event.id)
            if waiting[0].kind is not event.kind:
                halves = (waiting[0], event) if event.kind is Kind.RESPONSE else (event, waiting[0])
                self._note(_joined(*halves))
                return
            self._give_up(waiting[0])  # the same half again: an id that was used twice
        self._pending[event.id] = event, self._clock() + self._join_s
        self._pending_bytes += len(event.data)
        while len(self._pending) > MOST_PENDING or self._pending_bytes > MOST_PENDING_BYTES:
            self._give_up_oldest()

    def update(self) -> None:
        """Wait no longer for halves whose time is over."""
        now = self._clock()
        while self._pending and next(iter(self._pending.values()))[1] <= now:
            self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        name, (event, _) = next(iter(self._pending.items()))
        self._forget(name)
        self._give_up(event)

    def _forget(self, name: str) -> None:
        event, _ = self._pending.pop(name)
        self._pending_bytes -= len(event.data)

    def _give_up(self, event: Event) -> None:
        self._unjoined[event.kind.value] += 1
        at = event.at or time.time()
        if event.kind is Kind.REQUEST:
            self._note(Note(UNKNOWN_CODE, None, False, event.data, at=at, request_id=event.id))
        else:
            self._note(Note(OK_CODE, None, True, None, as_answer(event.data), at=at, request_id=event.id))

    def _note(self, note: Note) -> None:
        if self._account is not None:
            self._account.note(note)

    def take(self, batch: Batch) -> None:
        """Nothing: exchanges come from here."""

    def render(self) -> Iterator[str]:
        """The lines of these metrics."""
        name = "model_mirror_events_total"
        yield header(name, "counter", "Events that a payload logger posted, by kind.")
        yield from lines([key(name, {**self._labels, "kind": kind}) for kind in self._events], self._events.values())
        name = "model_mirror_unjoined_total"
        yield header(name, "counter", "Events whose other half did not come in time.")
        kinds = [key(name, {**self._labels, "kind": kind}) for kind in self._unjoined]
        yield from lines(kinds, self._unjoined.values())
        name = "model_mirror_pending"
        yield header(name, "gauge", "Events that wait for their other half.")
        yield from lines([key(name, self._labels)], [len(self._pending)])

    def close(self) -> None:
        """Wait for no half any longer."""
        while self._pending:
            self._give_up_oldest()
        if self._account is not None:
            self._account.fold()


def _joined(request: Event, response: Event) -> Note:
    """The latency is that between the events, as the logger made them; none where its clock went back."""
    duration_s = None
    if request.at is not None and response.at is not None:
        duration_s = response.at - request.at
    if duration_s is not None and not 0 <= duration_s <= LONGEST_DURATION_S:
        duration_s = None
    at = response.at or request.at or time.time()
    return Note(OK_CODE, duration_s, True, request.data, as_answer(response.data), at=at, request_id=request.id)
