"""The load that makes its requests itself, or a share of it, and what a load needs of its process."""

import gc
import logging
import os
from collections.abc import Callable, Mapping
from typing import NoReturn

import orjson
from gevent import Greenlet
from gevent.hub import get_hub
from locust.env import Environment

from alertdrill import lifeline
from alertdrill.adapters.load.connection_pool import Pool
from alertdrill.adapters.load.endpoint import Endpoint
from alertdrill.adapters.load.instants import Anchor, monotonic_s
from alertdrill.adapters.load.launch import own_arguments
from alertdrill.adapters.load.merge import Emit, Merge
from alertdrill.adapters.load.pools import Stock, Stocks
from alertdrill.adapters.load.resolve import resolve
from alertdrill.adapters.load.run import Run, WallClock
from alertdrill.adapters.load.share import ALL, Share
from alertdrill.adapters.load.statistics import LocustStatistics
from alertdrill.adapters.load.task import Task
from alertdrill.adapters.load.tls import connector
from alertdrill.adapters.load.wire import Connection
from alertdrill.core.payloads import Payloads

REPORT_S = 0.2  # a report is due this long after the last, in the next gap between arrivals that it fits into
MAX_WHY = 500

logger = logging.getLogger(__name__)


class LoadRun(Run):
    """A run that makes the requests itself: the pool tells it what came back."""

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
        schema, headers = plan.target.schema_, {**plan.target.headers, **arguments.secret_headers}
        content_type = schema.form.content_type
        endpoint = Endpoint(arguments.url, schema.path, plan.run_id, headers, arguments.authority, content_type)
        connect = connector(arguments.tls, endpoint.host) if endpoint.secure else Connection
        statistics, known = LocustStatistics(environment.stats, endpoint.path), clock or Anchor.take()
        super().__init__(plan, share, emit, known, lambda ended: statistics.fold(ended, known.now()))
        self._reporter.secrets = tuple(arguments.secret_headers.values())
        payloads = Payloads(plan, task.rows(), self._touch)
        self._stocks = Stocks(payloads, endpoint.encode, self._times, self._combinations, share=share)
        self._stocks.prepare()
        ended, connections = self._reporter.ended.append, -(-arguments.max_connections // share.of)
        self._pool = Pool(resolve(endpoint), ended, self._go_on, arguments.timeout_s, connections, connect)
        self._stock: Stock | None = None
        self._report_cost_s = 0.0

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
        self._stock = self._stocks.begin(k)
        super().began(k)

    def idle(self, slack_s: float) -> None:
        """Use the time until the next arrival."""
        if monotonic_s() - self._reported_at > REPORT_S and slack_s > self._report_cost_s:
            self._report()
        else:
            self._stocks.refill(slack_s)

    def _expect(self, k: int) -> None:
        self._stocks.expect(k)

    def _let_go(self) -> None:
        self._pool.close()

    def _tick(self) -> None:
        self._pool.expire()
        self._stocks.refill(self._schedule.slack_s())
        super()._tick()

    def _report(self) -> None:
        began = monotonic_s()
        super()._report()
        self._report_cost_s = self._reported_at - began


def emit(event: Mapping[str, object]) -> None:
    """Send an event to the controller; its values may be arrays."""
    lifeline.emit_json(orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY))


def run_load(environment: Environment) -> None:
    """Run the plan that `ALERTDRILL_LOAD` names until the controller ends it, then end Locust with exit code 0.

    Whatever goes wrong becomes a `failed` event of one line and exit code 1; the log has the traceback.
    """
    try:
        merge = Merge(1, emit)
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


def make_ready(load: Run, others: Callable[[BaseException], object] | None = None) -> None:
    """What a load needs of its process before it runs.

    Args:
        load: fails with every error that nobody catches.
        others: is told of those in greenlets in its place, where the greenlets are not ours.
    """
    _fail_on_hub_errors(load, others)
    gc.collect()
    gc.freeze()  # nothing made so far ends before the process: a full collection would stop the load for 50 ms


def _fail_on_hub_errors(load: Run, others: Callable[[BaseException], object] | None) -> None:
    """An exception in a callback would only be printed by the hub, and the load would go on without it."""
    hub = get_hub()
    show = hub.handle_error

    def handle_error(context: object, kind: type[BaseException], value: BaseException, trace: object) -> None:
        show(context, kind, value, trace)
        if not issubclass(kind, Exception):
            return
        if others is not None and isinstance(context, Greenlet):
            others(value)
        else:
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
