"""The load, or a share of it: commands in, events out, and the parts that do the work between."""

import gc
import logging
import os
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

import orjson
from gevent.event import Event
from gevent.hub import get_hub
from locust.env import Environment

from alertdrill import lifeline
from alertdrill.adapters.load.connection_pool import Pool
from alertdrill.adapters.load.endpoint import Endpoint
from alertdrill.adapters.load.instants import Anchor, monotonic_s
from alertdrill.adapters.load.launch import own_arguments
from alertdrill.adapters.load.merge import Emit, Merge
from alertdrill.adapters.load.pools import Stock, Stocks
from alertdrill.adapters.load.reporting import Reporter
from alertdrill.adapters.load.request import Combinations
from alertdrill.adapters.load.resolve import resolve
from alertdrill.adapters.load.schedule import Schedule, Timetable
from alertdrill.adapters.load.share import ALL, Share
from alertdrill.adapters.load.statistics import LocustStatistics
from alertdrill.adapters.load.task import Task
from alertdrill.adapters.load.tls import connector
from alertdrill.adapters.load.wire import Connection
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan
from alertdrill.core.timeline import fingerprint
from alertdrill.core.touch import Touch

TICK_S = 0.05
REPORT_S = 0.2  # a report is due this long after the last, in the next gap between arrivals that it fits into
REPORT_LATEST_S = 0.25 - TICK_S  # by the tick after this it comes even if an arrival has to wait for it
REPORT_MANY = 1000  # that are told of together cost the least each: they are still in the processor's cache
MAX_WHY = 500

logger = logging.getLogger(__name__)


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


class LoadRun:
    """A run of a share of a plan: the schedule drives it, the pool tells it what came back. All happens in the hub."""

    def __init__(
        self, task: Task, environment: Environment, emit: Emit, share: Share = ALL, clock: WallClock | None = None
    ) -> None:
        """Build the first requests.

        Args:
            task: plan, sample and arguments.
            environment: Locust's, whose statistics count the requests.
            emit: is given what happens, for `merge.Merge`.
            share: the part of every segment that is sent here.
            clock: the wall clock of commands and events; None: that of this machine.

        Raises:
            ValueError: plan, sample or URL cannot be used.
            OSError: the target's name has no address.
        """
        plan, arguments = task.plan, task.arguments
        path, headers = plan.target.schema_.path, plan.target.headers
        endpoint = Endpoint(arguments.url, path, plan.run_id, headers, arguments.authority)
        connect = connector(arguments.tls, endpoint.host) if endpoint.secure else Connection
        self._emit = emit
        self._clock = clock = clock or Anchor.take()
        touch = Touch(plan)
        self._times = planned_times(plan, touch, share)
        payloads, combinations = Payloads(plan, task.rows(), touch), Combinations()
        self._stocks = Stocks(payloads, endpoint.encode, self._times, combinations, share=share)
        self._stocks.prepare()
        statistics = LocustStatistics(environment.stats, endpoint.path)
        self._reporter = Reporter(emit, clock.wall, lambda ended: statistics.fold(ended, clock.now()), combinations)
        ended, connections = self._reporter.ended.append, -(-arguments.max_connections // share.of)
        self._pool = Pool(resolve(endpoint), ended, self._go_on, arguments.timeout_s, connections, connect)
        self._schedule = Schedule(self)
        self._stock: Stock | None = None
        self._begun: set[int] = set()
        self._closing = False
        self._reported_at = monotonic_s()
        self._report_cost_s = 0.0
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
        self._pool.close()
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

    def send(self, k: int, i: int, intended: float, now: float) -> bool:
        """Send request `k.i`; False if there is no room."""
        assert self._stock is not None
        if not self._pool.has_room():
            return False
        request = self._stock.take()
        request.intended, request.attempted = intended, now
        if request.suppressed:
            request.sent = now
            self._reporter.suppressed.append(request)
            return True
        self._reporter.attempted.append(request)
        self._pool.submit(request)
        return True

    def began(self, k: int) -> None:
        """Segment `k` runs."""
        self._begun.add(k)
        self._stock = self._stocks.begin(k)
        self._reporter.began(k)

    def ended(self, k: int, scheduled: int) -> None:
        """Segment `k` is over."""
        self._reporter.closed(k, scheduled)

    def closed(self) -> None:
        """No request will be sent any more."""
        self._closing = True
        self._finish_if_drained()

    def idle(self, slack_s: float) -> None:
        """Use the time until the next arrival."""
        if monotonic_s() - self._reported_at > REPORT_S and slack_s > self._report_cost_s:
            self._report()
        else:
            self._stocks.refill(slack_s)

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
        self._stocks.expect(k)
        self._schedule.announce(Timetable(k, begins, self._times[k]))

    def _tick(self) -> None:
        self._pool.expire()
        self._stocks.refill(self._schedule.slack_s())
        if monotonic_s() - self._reported_at > REPORT_LATEST_S or len(self._reporter.ended) > REPORT_MANY:
            self._report()
        self._finish_if_drained()

    def _report(self) -> None:
        began = monotonic_s()
        self._reporter.report()
        self._reported_at = monotonic_s()
        self._report_cost_s = self._reported_at - began

    def _go_on(self) -> None:
        self._schedule.go_on()

    def _finish_if_drained(self) -> None:
        if self._closing and not self._reporter.in_flight():
            self._over.set()


def _emit(event: Mapping[str, object]) -> None:
    lifeline.emit_json(orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY))


def run_load(environment: Environment) -> None:
    """Run the plan that `ALERTDRILL_LOAD` names until the controller ends it, then end Locust with exit code 0.

    Whatever goes wrong becomes a `failed` event of one line and exit code 1; the log has the traceback.
    """
    try:
        merge = Merge(1, _emit)
        load = LoadRun(Task.read(own_arguments()), environment, lambda event: merge.take(0, event))
        loop = get_hub().loop
        lifeline.on_command(lambda command: loop.run_callback_threadsafe(load.handle, command))
        make_ready(load)
        load.run()
        merge.take(0, {"event": "ended"})
    except Exception as error:
        logger.exception("the load failed")
        leave_failed(one_line(error))
    lifeline.flush()
    environment.process_exit_code = 0
    if environment.runner is not None:
        environment.runner.quit()


def make_ready(load: LoadRun) -> None:
    """What a load needs of its process before it runs."""
    _fail_on_hub_errors(load)
    gc.collect()
    gc.freeze()  # nothing made so far ends before the process: a full collection would stop the load for 50 ms


def _fail_on_hub_errors(load: LoadRun) -> None:
    """An exception in a callback would only be printed by the hub, and the load would go on without it."""
    hub = get_hub()
    show = hub.handle_error

    def handle_error(context: object, kind: type[BaseException], value: BaseException, trace: object) -> None:
        show(context, kind, value, trace)
        if issubclass(kind, Exception):
            load.fail(f"{kind.__name__}: {value}")

    hub.handle_error = handle_error


def one_line(error: Exception) -> str:
    """What went wrong, for an event."""
    text = " ".join(str(error).split())
    return (text if isinstance(error, RuntimeError) else f"{type(error).__name__}: {text}")[:MAX_WHY]


def leave_failed(why: str) -> NoReturn:
    """Tell the controller and end this process at once, with exit code 1."""
    lifeline.emit({"event": "failed", "why": why})
    lifeline.flush()
    os._exit(1)
