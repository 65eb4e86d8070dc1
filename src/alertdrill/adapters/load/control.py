"""The load process from the controller's side: commands in, events out, and the parts that do the work between."""

import gc
import hashlib
import logging
import os
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson
from gevent.event import Event
from gevent.hub import get_hub
from locust.env import Environment

from alertdrill import lifeline
from alertdrill.adapters.load.connection_pool import Pool
from alertdrill.adapters.load.endpoint import Endpoint
from alertdrill.adapters.load.instants import Anchor, monotonic_s
from alertdrill.adapters.load.launch import LoadArguments, own_arguments
from alertdrill.adapters.load.pools import Stock, Stocks
from alertdrill.adapters.load.reporting import Reporter
from alertdrill.adapters.load.request import Combinations
from alertdrill.adapters.load.resolve import resolve
from alertdrill.adapters.load.schedule import Schedule, Timetable
from alertdrill.adapters.load.statistics import LocustStatistics
from alertdrill.adapters.load.tls import connector
from alertdrill.adapters.load.wire import Connection
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan
from alertdrill.core.timeline import fingerprint
from alertdrill.core.touch import Touch
from alertdrill.protocols.rows import Rows, parse_csv

TICK_S = 0.05
REPORT_S = 0.2  # a report is due this long after the last, in the next gap between arrivals that it fits into
REPORT_LATEST_S = 0.25 - TICK_S  # by the tick after this it comes even if an arrival has to wait for it
REPORT_MANY = 1000  # that are told of together cost the least each: they are still in the processor's cache
MAX_WHY = 500

logger = logging.getLogger(__name__)


def read_sample(arguments: LoadArguments, plan: Plan) -> Rows:
    """The rows that requests are drawn from.

    Raises:
        ValueError: the file is not the one that the plan was made with.
    """
    data = arguments.sample.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != plan.target.sample_sha256:
        raise ValueError(
            f"{arguments.sample}: got sha256 {found}, expected {plan.target.sample_sha256}; "
            "plan the drill again with this sample"
        )
    return parse_csv(data.decode(), plan.target.schema_)


def planned_times(plan: Plan, touch: Touch) -> list[list[float]]:
    """Due times by segment, in seconds from its start.

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
        result.append(times.tolist())
    return result


class LoadRun:
    """One run of a plan: the schedule drives it, the pool tells it what came back. Everything happens in the hub."""

    def __init__(self, arguments: LoadArguments, environment: Environment) -> None:
        """Read the plan and build the first requests.

        Raises:
            ValueError: plan, sample or URL cannot be used.
            OSError: a file cannot be read, or the target's name has no address.
        """
        plan = Plan.model_validate_json(arguments.plan.read_bytes())
        path, headers = plan.target.schema_.path, plan.target.headers
        endpoint = Endpoint(arguments.url, path, plan.run_id, headers, arguments.authority)
        connect = connector(arguments.tls, endpoint.host) if endpoint.secure else Connection
        self._anchor = anchor = Anchor.take()
        touch = Touch(plan)
        self._times = planned_times(plan, touch)
        payloads, combinations = Payloads(plan, read_sample(arguments, plan), touch), Combinations()
        self._stocks = Stocks(payloads, endpoint.encode, self._times, combinations)
        self._stocks.prepare()
        statistics = LocustStatistics(environment.stats, endpoint.path)
        self._reporter = Reporter(_emit, anchor.wall, lambda ended: statistics.fold(ended, anchor.now()), combinations)
        ended, limits = self._reporter.ended.append, (arguments.timeout_s, arguments.max_connections)
        self._pool = Pool(resolve(endpoint), ended, self._go_on, *limits, connect)
        self._schedule = Schedule(self)
        self._stock: Stock | None = None
        self._begun: set[int] = set()
        self._closing = False
        self._reported_at = monotonic_s()
        self._report_cost_s = 0.0
        self._over = Event()
        self._failure: str | None = None

    def run(self) -> None:
        """Take commands until the load is closed or stopped.

        Raises:
            RuntimeError: something unexpected happened on the way; its text is one line.
        """
        loop = get_hub().loop
        ticker = loop.timer(TICK_S, TICK_S)
        ticker.start(self._tick)
        lifeline.on_command(lambda command: loop.run_callback_threadsafe(self._handle, command))
        lifeline.emit({"event": "ready"})
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

    def _handle(self, command: Mapping[str, Any]) -> None:
        try:
            self._obey(command)
        except (KeyError, TypeError, ValueError) as error:
            self.fail(f"command {dict(command)}: {type(error).__name__}: {error}")

    def _obey(self, command: Mapping[str, Any]) -> None:
        match command["do"]:
            case "segment":
                self._announce(int(command["k"]), self._anchor.monotonic(float(command["at"])))
            case "close":
                self._schedule.close(self._anchor.monotonic(float(command["at"])))
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
        load = LoadRun(own_arguments(), environment)
        _fail_on_hub_errors(load)
        gc.collect()
        gc.freeze()  # nothing made so far ends before the process: a full collection would stop the load for 50 ms
        load.run()
    except Exception as error:
        logger.exception("the load failed")
        _leave_failed(error)
    lifeline.emit({"event": "ended"})
    lifeline.flush()
    environment.process_exit_code = 0
    if environment.runner is not None:
        environment.runner.quit()


def _fail_on_hub_errors(load: LoadRun) -> None:
    """An exception in a callback would only be printed by the hub, and the load would go on without it."""
    hub = get_hub()
    show = hub.handle_error

    def handle_error(context: object, kind: type[BaseException], value: BaseException, trace: object) -> None:
        show(context, kind, value, trace)
        if issubclass(kind, Exception):
            load.fail(f"{kind.__name__}: {value}")

    hub.handle_error = handle_error


def _leave_failed(error: Exception) -> NoReturn:
    text = " ".join(str(error).split())
    what = text if isinstance(error, RuntimeError) else f"{type(error).__name__}: {text}"
    lifeline.emit({"event": "failed", "why": what[:MAX_WHY]})
    lifeline.flush()
    os._exit(1)
