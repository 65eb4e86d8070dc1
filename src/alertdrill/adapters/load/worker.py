"""A worker of a load that several share: Locust's, with the share of the plan that its master hands out.

It runs under a lifeline of its own, wherever it was started. The lease that the lifeline watches is granted by the
master's messages: a worker that hears nothing for 2.5 s, or whose drill is granted no further lease, ends at once.
"""

import logging
import socket
import time
from typing import Any

import gevent
import numpy as np
from gevent.event import Event
from gevent.hub import get_hub
from gevent.queue import Empty, Queue
from locust.env import Environment
from locust.rpc import Message as LocustMessage
from locust.runners import WorkerRunner

from alertdrill import __version__, lifeline
from alertdrill.adapters.load.control import LoadRun, make_ready, one_line
from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.launch import Address
from alertdrill.adapters.load.master_clock import MasterClock
from alertdrill.adapters.load.members import CLOCK_DOUBT_S, PREPARE_S, SILENCE_S
from alertdrill.adapters.load.post import MESSAGE, Inbox, Message, Outbox
from alertdrill.adapters.load.role import LoadFailed, let_send, play, scheduled_load
from alertdrill.adapters.load.share import Share
from alertdrill.adapters.load.task import Task

TOLD_S = 60.0
ANSWER_S = 10.0
ANSWER_LEAST_S = 2.0  # however short the wait for the drill is to be: it may be busy
CONNECT_S = 3.0
RETRY_S = 0.5
FIRST_READINGS = 8
FIRST_PING_S, PING_S = 0.02, 0.5
CLOCK_S = 5.0

logger = logging.getLogger(__name__)


def reach(address: Address, wait_s: float) -> None:
    """Wait until somebody listens at an address.

    Raises:
        LoadFailed: nobody does in time, or it is no address.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            socket.create_connection((address.host, address.port), CONNECT_S).close()
            return
        except socket.gaierror as error:
            raise LoadFailed(f"{address}: got {error.strerror}, expected a host; correct the address") from error
        except OSError as error:
            if time.monotonic() >= deadline:
                raise LoadFailed(
                    f"{address}: got {error.strerror or error} for {wait_s:g} s, expected a drill that listens there; "
                    f"start it with --distributed {address}, or correct the address"
                ) from error
        gevent.sleep(RETRY_S)


class Worker:
    """Carries out what the master says."""

    def __init__(self, address: Address, answer_s: float = ANSWER_S) -> None:
        """Connect to Locust's master at an address, which has `answer_s` seconds to say something.

        Raises:
            LoadFailed: what listens there is none.
        """
        self._address, self._answer_s = address, answer_s
        self._clock = MasterClock()
        self._inbox = Inbox()
        self._joined, self._over = Event(), Event()
        self._share = Share()
        self._silence_s = ANSWER_S
        self._load: LoadRun | None = None
        self._failure: str | None = None
        self._environment = Environment(user_classes=[scheduled_load(self._send_share)])
        self._runner = self._connect()
        self._runner.register_message(MESSAGE, self._take)
        self._outbox = Outbox(lambda message: self._runner.send_message(MESSAGE, dict(message)))

    def run(self) -> None:
        """Take part in the load until the master says that it is over.

        Raises:
            LoadFailed: the master refuses this worker, or the load cannot go on.
        """
        self._outbox.put("hello", version=__version__, host=socket.gethostname())
        answered = gevent.wait([self._joined, self._over], self._answer_s, 1)
        if not answered:
            raise self._no_master()
        gevent.spawn(self._ping_forever)
        self._over.wait()
        if self._failure is not None:
            self._outbox.put("failed", why=self._failure)
            self._outbox.flush()
            let_send()
            raise LoadFailed(self._failure)
        lifeline.emit({"event": "ended"})

    def fail(self, why: str) -> None:
        """End this worker as failed."""
        self._failure = self._failure or why
        self._over.set()

    def _no_master(self) -> LoadFailed:
        return LoadFailed(
            f"{self._address}: got a server that is none of ours, expected a drill that waits for workers; "
            "correct the address"
        )

    def _connect(self) -> WorkerRunner:
        try:
            with gevent.Timeout(self._answer_s):
                return self._environment.create_worker_runner(self._address.host, self._address.port)
        except gevent.Timeout as error:
            raise self._no_master() from error

    # messages

    def _take(self, environment: Environment, msg: LocustMessage, **_: object) -> None:
        """Take a message (Locust calls this, and would only log what is raised here)."""
        try:
            self._inbox.check(msg.data)
            self._handle(msg.data)
        except Exception as error:
            logger.exception("message of the master: %r", msg)
            self.fail(one_line(error))

    def _handle(self, message: dict[str, Any]) -> None:
        match message["do"]:
            case "pong":
                self._clock.answered(message["asked"], message["wall"])
            case "alive":
                self._go_on(message["lease_s"])
            case "command":
                assert self._load is not None
                self._load.handle(message["command"])
            case "joined":
                self._share = Share(message["worker"], message["of"])
                self._go_on(None)
                self._joined.set()
                lifeline.emit({"event": "joined", "worker": message["worker"] + 1, "of": message["of"]})
            case "refused":
                self.fail(f"{self._address} refused this worker: {message['why']}")
            case "task":
                self._silence_s = PREPARE_S
                self._go_on(None)
                gevent.spawn(self._prepare, message)
            case "over":
                if message["why"] is not None:
                    self.fail(message["why"])
                self._over.set()

    def _go_on(self, lease_s: float | None) -> None:
        """Be heard for some time more, within the lease of the drill."""
        lifeline.grant(self._silence_s if lease_s is None else min(self._silence_s, lease_s))

    def _ping_forever(self) -> None:
        while True:
            gevent.sleep(FIRST_PING_S if self._clock.count < FIRST_READINGS else PING_S)
            known = {"ahead_s": self._clock.ahead_s, "error_s": self._clock.error_s}
            self._outbox.put("ping", asked=monotonic_s(), **known)

    # the load

    def _prepare(self, message: Message) -> None:
        try:
            load = LoadRun(Task.unpack(message), self._environment, self._tell, self._share, self._clock)
            make_ready(load)
            self._load = load
            deadline = time.monotonic() + CLOCK_S
            while self._clock.count < FIRST_READINGS or self._clock.error_s > CLOCK_DOUBT_S:
                if time.monotonic() > deadline:
                    break  # the master says what is to be said
                gevent.sleep(FIRST_PING_S)
            self._outbox.put("prepared", ahead_s=self._clock.ahead_s, error_s=self._clock.error_s)
        except Exception as error:
            logger.exception("the load could not be prepared")
            self.fail(one_line(error))

    def _send_share(self) -> None:
        """Locust's user: run the plan, hand over the last figures, and wait for the end."""
        assert self._load is not None
        try:
            self._load.run()
            self._runner._send_stats()  # Locust's master must have them before it hears of the end
            self._tell({"event": "ended"})
        except Exception as error:
            logger.exception("the load failed")
            self.fail(one_line(error))
        Event().wait()

    def _tell(self, event: Message) -> None:
        if event["event"] == "ready":
            self._silence_s = SILENCE_S
            lifeline.emit(event)
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in event.items()}
        self._outbox.put("event", event=plain)


def main() -> None:
    """Wait for the command that says where the master is, then take part in its load."""
    play(_run)


def _run() -> None:
    commands: Queue[Message] = Queue()
    loop = get_hub().loop
    lifeline.on_command(lambda command: loop.run_callback_threadsafe(commands.put, command))
    try:
        join = commands.get(timeout=TOLD_S)
    except Empty:
        raise LoadFailed("nobody told this worker where its master is") from None
    address = Address(host=join["host"], port=join["port"])
    reach(address, join["wait_s"])
    Worker(address, min(ANSWER_S, max(ANSWER_LEAST_S, join["wait_s"]))).run()
