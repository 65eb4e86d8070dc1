"""What every load does, whoever makes its requests: commands in, events out, and a schedule that drives it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gevent.event import Event
from gevent.hub import get_hub

from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.merge import Emit
from alertdrill.adapters.load.reporting import Reporter
from alertdrill.adapters.load.request import Combinations, Request
from alertdrill.adapters.load.schedule import Schedule, Timetable
from alertdrill.adapters.load.share import Share
from alertdrill.core.plan import Plan
from alertdrill.core.timeline import fingerprint
from alertdrill.core.touch import Touch

TICK_S = 0.05
REPORT_LATEST_S = 0.25 - TICK_S  # by the tick after this it comes even if an arrival has to wait for it
REPORT_MANY = 1000  # that are told of together cost the least each: they are still in the processor's cache


class WallClock(Protocol):
    """The wall clock of the drill, whose instants the controller names and reads."""

    def wall(self, at: float) -> float:
        """Wall time of an instant of `monotonic_s`."""

    def monotonic(self, wall: float) -> float:
        """Instant of `monotonic_s` at a wall time."""

    def now(self) -> float:
        """Wall time now."""


def planned_times(plan: Plan, touch: Touch, share: Share) -> list[list[float]]:
    """Due times of the requests of a share by segment, in seconds from its start.

    Raises:
        ValueError: they are not those that the plan was made with.
    """
    result = []
    for segment in plan.segments:
        times = touch.schedule(segment.k).at
        if fingerprint(times) != segment.arrivals_sha256:
            raise ValueError(
                f"plan: segments[{segment.k}].arrivals_sha256: got {fingerprint(times)} here, "
                f"expected {segment.arrivals_sha256}; make the plan and run the load with the same version"
            )
        result.append(times[share.indexes(len(times))].tolist())
    return result


class Run(ABC):
    """A run of a share of a plan: its schedule drives it. All happens in the hub."""

    def __init__(
        self, plan: Plan, share: Share, emit: Emit, clock: WallClock, fold: Callable[[Sequence[Request]], None]
    ) -> None:
        """Nothing runs yet.

        Args:
            plan: the plan.
            share: the part of every segment that is sent here.
            emit: is given what happens, for `merge.Merge`.
            clock: the wall clock of commands and events.
            fold: is given every ended request once, for further statistics.

        Raises:
            ValueError: the plan cannot be used.
        """
        self._emit = emit
        self._clock = clock
        self._touch = Touch(plan)
        self._times = planned_times(plan, self._touch, share)
        self._combinations = Combinations()
        self._reporter = Reporter(emit, clock.wall, fold, self._combinations, plan.target.schema_.protocol)
        self._schedule = Schedule(self)
        self._begun: set[int] = set()
        self._closing = False
        self._reported_at = monotonic_s()
        self._over = Event()
        self._failure: str | None = None

    def run(self) -> None:
        """Obey commands until the load is closed or stopped.

        Raises:
            RuntimeError: something unexpected happened on the way; its text is one line.
        """
        loop = get_hub().loop
        ticker = loop.timer(TICK_S, TICK_S)
        ticker.start(self._tick)
        self._emit({"event": "ready"})
        self._over.wait()
        ticker.stop()
        ticker.close()
        self._let_go()
        if self._failure is not None:
            raise RuntimeError(self._failure)
        self._reporter.report()

    def fail(self, why: str) -> None:
        """End the run as failed."""
        self._failure = self._failure or why
        self._over.set()

    def handle(self, command: Mapping[str, Any]) -> None:
        """Take a command of the controller."""
        try:
            self._obey(command)
        except (KeyError, TypeError, ValueError) as error:
            self.fail(f"command {dict(command)}: {type(error).__name__}: {error}")

    @abstractmethod
    def send(self, k: int, i: int, intended: float, now: float) -> bool:
        """Send request `k.i`; False if that cannot be done now."""

    def began(self, k: int) -> None:
        """Segment `k` runs."""
        self._begun.add(k)
        self._reporter.began(k)

    def ended(self, k: int, scheduled: int) -> None:
        """Segment `k` is over."""
        self._reporter.closed(k, scheduled)

    def closed(self) -> None:
        """No request will be sent any more."""
        self._closing = True
        self._finish_if_drained()

    @abstractmethod
    def idle(self, slack_s: float) -> None:
        """Use the time until the next arrival."""

    @abstractmethod
    def _expect(self, k: int) -> None:
        """Segment `k` comes soon."""

    @abstractmethod
    def _let_go(self) -> None:
        """The run is over."""

    def _obey(self, command: Mapping[str, Any]) -> None:
        match command["do"]:
            case "segment":
                self._announce(int(command["k"]), self._clock.monotonic(float(command["at"])))
            case "close":
                self._schedule.close(self._clock.monotonic(float(command["at"])))
            case "stop":
                self._schedule.stop()
                self._over.set()
            case other:
                raise ValueError(f"got {other!r}, expected segment, close or stop")

    def _announce(self, k: int, begins: float) -> None:
        if not 0 <= k < len(self._times) or k in self._begun:
            raise ValueError(f"got segment {k}, expected one of 0 to {len(self._times) - 1} that has not begun")
        self._expect(k)
        self._schedule.announce(Timetable(k, begins, self._times[k]))

    def _tick(self) -> None:
        if monotonic_s() - self._reported_at > REPORT_LATEST_S or len(self._reporter.ended) > REPORT_MANY:
            self._report()
        self._finish_if_drained()

    def _report(self) -> None:
        self._reporter.report()
        self._reported_at = monotonic_s()

    def _go_on(self) -> None:
        self._schedule.go_on()

    def _finish_if_drained(self) -> None:
        if self._closing and not self._reporter.in_flight():
            self._over.set()
