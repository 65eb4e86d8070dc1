"""A run whose requests are made by users of a team's own locustfile: each waits until the next arrival is due."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import gevent
import numpy as np
from gevent.event import AsyncResult
from gevent.hub import get_hub

from alertdrill.adapters.load.answers import is_chosen, is_readable
from alertdrill.adapters.load.instants import Anchor, monotonic_s
from alertdrill.adapters.load.merge import Emit
from alertdrill.adapters.load.request import Failure, Request
from alertdrill.adapters.load.run import Run
from alertdrill.adapters.load.share import ALL
from alertdrill.adapters.load.task import Task
from alertdrill.core.faults.base import Body
from alertdrill.core.own_bodies import OwnBodies

AGAIN_S = 0.02  # users that catch everything and try again for ever must not keep the process from ending


class LoadOver(Exception):
    """The load is over: nobody sends any more."""


@dataclass(frozen=True)
class Ticket:
    """Leave to send the next request of the plan.

    Attributes:
        request: which one.
        body: what it is to send, faults applied.
    """

    request: Request
    body: Body


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A user that is about to send a body."""

    body: Body
    given: "AsyncResult[Ticket]" = field(default_factory=AsyncResult)


def _ignore(ended: Sequence[Request]) -> None:
    """Locust's own statistics count what its users tell of."""


class PacedRun(Run):
    """A run whose requests users make: the plan says when, and which faults they get."""

    def __init__(self, task: Task, emit: Emit, why_silent: Callable[[], str]) -> None:
        """Nothing runs yet.

        Args:
            task: plan, sample and arguments.
            emit: is given what happens, for `merge.Merge`.
            why_silent: says what the users do instead, once they have sent nothing for too long.

        Raises:
            ValueError: the plan cannot be used.
        """
        super().__init__(task.plan, ALL, emit, Anchor.take(), _ignore)
        self._bodies = OwnBodies(task.plan, task.rows(), self._touch)
        self._why_silent, self._silent_s = why_silent, task.arguments.silent_s
        self._waiting: deque[_Waiting] = deque()
        self._starved_at: float | None = None
        self._picked: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._gone = self._is_copy = False

    @property
    def has_begun(self) -> bool:
        """Whether a segment runs or has run."""
        return bool(self._begun)

    def leave_to_original(self) -> None:
        """In a copy of this process, such as multiprocessing makes: nothing is sent, told or ended a second time."""
        self._gone = self._is_copy = True

    def ticket(self, body: Body) -> Ticket:
        """Wait until the next request of the plan is due; a user calls this with what it is about to send.

        Raises:
            LoadOver: the load is.
        """
        if self._gone:
            gevent.sleep(AGAIN_S)
            raise LoadOver
        waiting = _Waiting(body)
        self._waiting.append(waiting)
        if self._starved_at is not None:
            get_hub().loop.run_callback(self._go_on)
        try:
            ticket: Ticket = waiting.given.get()
            return ticket
        except BaseException:
            if waiting.given.ready():
                self.over(waiting.given.get(block=False).request, failure=Failure.GIVEN_UP)
            else:
                self._waiting.remove(waiting)
            raise

    def over(
        self,
        request: Request,
        left_at: float = 0.0,
        *,
        answering: float = 0.0,
        status: int = 0,
        content: bytes | None = b"",
        failure: Failure | None = None,
    ) -> None:
        """A request was answered or has failed.

        Args:
            request: which one.
            left_at: when it was sent, 0 if it never was.
            answering: when the first byte of its answer came, 0 if that is not known.
            status: code of the answer, 0 without a whole answer.
            content: body of the answer; None if its user reads it as it comes.
            failure: why there is no answer.
        """
        size = len(content or b"")
        if content is not None and is_chosen(request.index) and is_readable(status, size):
            request.answer = content
        request.ended = monotonic_s()
        request.sent, request.status, request.size, request.failure = left_at, status, size, failure
        request.answering = min(answering or request.ended, request.ended) if status else 0.0
        self._reporter.ended.append(request)

    def send(self, k: int, i: int, intended: float, now: float) -> bool:
        """Give leave for request `k.i` to the user that waits longest; False if none does."""
        if self._is_copy:
            return False
        schedule = self._touch.schedule(k)
        if not schedule.sent[i]:
            lost = {injection: mask[i : i + 1] for injection, mask in schedule.touched.items()}
            request = Request(k, i, b"", b"", self._number(lost), suppressed=True)
            request.intended = request.attempted = request.sent = now
            self._reporter.suppressed.append(request)
            return True
        if not self._waiting:
            self._starved_at = self._starved_at or now
            return False
        self._starved_at = None
        waiting = self._waiting.popleft()
        edited = self._bodies.of(k, i, waiting.body)
        for injection in edited.picked:
            self._picked[injection, k].append(i)
        touched = self._number({injection: np.array([True]) for injection in edited.touched})
        request = Request(k, i, edited.body.data, b"", touched)
        request.intended, request.attempted = intended, now
        self._reporter.attempted.append(request)
        waiting.given.set(Ticket(request, edited.body))
        return True

    def ended(self, k: int, scheduled: int) -> None:
        """Segment `k` is over."""
        self._tell_picked()
        super().ended(k, scheduled)

    def idle(self, slack_s: float) -> None:
        """Leave the time until the next arrival to the users."""

    def _expect(self, k: int) -> None:
        self._touch.schedule(k)  # worked out before its first arrival is due

    def _let_go(self) -> None:
        self._gone = True
        self._tell_picked()

    def _number(self, masks: Mapping[str, np.ndarray]) -> int:
        return self._combinations.numbers(masks, 1)[0]

    def _tick(self) -> None:
        if self._is_copy:
            return
        super()._tick()
        if self._starved_at is None or self._schedule.slack_s() > 0:
            self._starved_at = None
        elif self._reporter.in_flight():
            self._starved_at = monotonic_s()  # they wait for answers
        elif monotonic_s() - self._starved_at > self._silent_s:
            self.fail(self._why_silent())

    def _report(self) -> None:
        self._tell_picked()
        super()._report()

    def _tell_picked(self) -> None:
        for (injection, k), indices in self._picked.items():
            self._emit({"event": "picked", "injection": injection, "k": k, "i": indices})
        self._picked.clear()
