"""When to send: the segments announced so far, followed by a timer; arrivals never wait for answers."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.timers import Timer, make_timer

EARLY_S = 20e-6  # setting the timer once more would take longer
CHANGE_GRACE_S = 0.02  # what was due just before a segment's end and is still unsent is sent, not dropped


@dataclass(slots=True)
class Timetable:
    """The arrivals of one announced segment.

    Attributes:
        k: number of the segment.
        begins: its start, seconds of `monotonic_s`.
        times: due times in seconds from `begins`, ascending.
        next: index of the next arrival to send.
        stop: index of the first arrival that is not due before the end known so far.
    """

    k: int
    begins: float
    times: Sequence[float]
    next: int = 0
    stop: int = field(init=False)

    def __post_init__(self) -> None:
        self.stop = len(self.times)

    def end_at(self, at: float) -> None:
        """Drop the arrivals due at or after `at`."""
        self.stop = max(self.next, bisect_left(self.times, at - self.begins))

    def next_due(self) -> float:
        """When the next arrival is due; infinity after the last."""
        return self.begins + self.times[self.next] if self.next < self.stop else inf


class Line(Protocol):
    """What the schedule drives. Called in the hub: never block."""

    def send(self, k: int, i: int, intended: float, now: float) -> bool:
        """Send request `k.i`, due at `intended`; False if there is no room now: `Schedule.go_on` when there is."""

    def began(self, k: int) -> None:
        """Segment `k` began."""

    def ended(self, k: int, scheduled: int) -> None:
        """Segment `k` ended; `scheduled` of its arrivals were due before its end."""

    def closed(self) -> None:
        """The announced end of the load came: nothing will be sent any more."""

    def idle(self, slack_s: float) -> None:
        """Nothing is due for `slack_s` seconds."""


class Schedule:
    """Sends every arrival of the announced segments at its absolute time, late ones at once and in order."""

    def __init__(
        self,
        line: Line,
        timer: Callable[[Callable[[], None]], Timer] = make_timer,
        clock: Callable[[], float] = monotonic_s,
    ) -> None:
        self._line = line
        self._clock = clock
        self._timer = timer(self._fire)
        self._current: Timetable | None = None
        self._coming: list[Timetable | float] = []  # timetables in order of their starts, at most one end at the end
        self._boundary = inf
        self._blocked = False
        self._running = False
        self._set_at = inf

    def announce(self, timetable: Timetable) -> None:
        """A segment begins at `timetable.begins`; it replaces what was announced for then or later."""
        self._insert(timetable, timetable.begins)

    def close(self, at: float) -> None:
        """Nothing due at or after `at` is sent."""
        self._insert(at, at)

    def stop(self) -> None:
        """End the running segment now and send nothing more."""
        self._coming.clear()
        self.close(self._clock())

    def slack_s(self) -> float:
        """Seconds until something is due, 0 if it is overdue; infinity if nothing is."""
        return max(0.0, min(self._boundary, self._next_due()) - self._clock())

    def go_on(self) -> None:
        """Send what is due, change segments when their time has come, set the timer for what comes next."""
        if self._running:  # what the line does while it is told of something may end up here
            return
        self._running = True
        try:
            self._send_due()
            while self._boundary <= self._clock():
                self._change()
                self._send_due()
        finally:
            self._running = False
        self._set_timer()

    def _fire(self) -> None:
        self._set_at = inf
        self.go_on()

    def _insert(self, what: Timetable | float, at: float) -> None:
        self._coming = [item for item in self._coming if _start(item) < at]
        self._coming.append(what)
        self._boundary = _start(self._coming[0])
        if self._current is not None:
            self._current.end_at(self._boundary)
        self.go_on()

    def _next_due(self) -> float:
        return self._current.next_due() if self._current is not None else inf

    def _send_due(self) -> None:
        table = self._current
        if table is None:
            return
        send, clock, begins, times, stop, k = (
            self._line.send,
            self._clock,
            table.begins,
            table.times,
            table.stop,
            table.k,
        )
        end = self._boundary + CHANGE_GRACE_S
        self._blocked = False
        while (i := table.next) < stop:
            intended, now = begins + times[i], clock()
            if intended > now + EARLY_S or now > end:
                return
            table.next = i + 1
            if not send(k, i, intended, now):
                table.next, self._blocked = i, True
                return

    def _change(self) -> None:
        if self._current is not None:
            self._line.ended(self._current.k, self._current.stop)
            self._current = None
        coming = self._coming.pop(0)
        self._boundary = _start(self._coming[0]) if self._coming else inf
        if not isinstance(coming, Timetable):
            self._line.closed()
            return
        self._current = coming
        coming.end_at(self._boundary)
        self._line.began(coming.k)

    def _set_timer(self) -> None:
        at = self._boundary if self._blocked else min(self._boundary, self._next_due())
        if at != self._set_at and at < inf:
            self._timer.set(at)
            self._set_at = at
        if not self._blocked:  # else whatever makes room comes next, and at once
            slack_s = at - self._clock()
            if slack_s > 0:
                self._line.idle(slack_s)


def _start(item: Timetable | float) -> float:
    return item.begins if isinstance(item, Timetable) else item
