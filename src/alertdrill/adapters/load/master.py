"""The master of a load that several workers share: Locust's, with the controller's commands and events passed through.

The controller talks to this process as it does to a load of one process; workers get plan, sample, commands and leave
to go on from here, over Locust's own messages. Locust's statistics of all workers come together in this process.
"""

import logging
import signal
import socket
import time
from enum import IntEnum
from typing import Any, NoReturn

import gevent
from gevent.event import Event
from gevent.hub import get_hub
from locust.env import Environment
from locust.exception import RPCError
from locust.rpc import Message as LocustMessage
from locust.runners import STATE_INIT, MasterRunner
from locust.stats import print_error_report, print_percentile_stats, print_stats

from alertdrill import __version__, lifeline
from alertdrill.adapters.load.control import one_line
from alertdrill.adapters.load.instants import Anchor
from alertdrill.adapters.load.launch import Address, LoadArguments, own_arguments
from alertdrill.adapters.load.members import PREPARE_S, SILENCE_S, TICK_S, Member, Members
from alertdrill.adapters.load.merge import Merge
from alertdrill.adapters.load.post import MESSAGE, Lost, Message
from alertdrill.adapters.load.role import LoadFailed, let_send, play, scheduled_load
from alertdrill.adapters.load.task import Task

START_S = 10.0

logger = logging.getLogger(__name__)


class Stage(IntEnum):
    """How far a load has come."""

    JOINING = 0
    PREPARING = 1
    RUNNING = 2


def listen(address: Address) -> MasterRunner:
    """Locust's master, which takes workers at an address.

    Raises:
        LoadFailed: the address cannot be had.
    """
    environment = Environment(user_classes=[scheduled_load(lambda: None)])
    try:
        host = socket.gethostbyname(address.host)
        return environment.create_master_runner(host, address.port)
    except (OSError, RPCError) as error:
        why = "the port is taken" if "already in use" in str(error) else error
        raise LoadFailed(f"the load cannot listen at {address}: {why}") from error


class Master:
    """Brings workers together, hands out the load, and merges what comes back."""

    def __init__(self, task: Task, runner: MasterRunner) -> None:
        """Listen to workers; nothing is lost of what came before.

        Args:
            task: plan, sample and arguments.
            runner: Locust's.
        """
        self._task, self._runner = task, runner
        self._arguments: LoadArguments = task.arguments
        self._clock = Anchor.take()
        self._members = Members(self._arguments.workers, lambda to, what: runner.send_message(MESSAGE, dict(what), to))
        self._merge = Merge(self._arguments.workers, self._emit)
        self._stage = Stage.JOINING
        self._join_by = time.monotonic() + self._arguments.join_s
        self._over = Event()
        self._failure: str | None = None
        runner.register_message(MESSAGE, self._take)

    def run(self) -> None:
        """Run the load until it has ended or is to end.

        Raises:
            LoadFailed: a worker is gone, or cannot do what it should.
        """
        loop = get_hub().loop
        gevent.signal_handler(signal.SIGTERM, self._over.set)
        lifeline.on_command(lambda command: loop.run_callback_threadsafe(self._obey, command))
        listening = {"host": self._runner.master_bind_host, "port": self._runner.server.port}
        lifeline.emit({"event": "listening", **listening, "of": self._members.of})
        gevent.spawn(self._tick_forever)
        self._over.wait()
        if self._failure is not None:
            self._dismiss(self._failure)
            raise LoadFailed(self._failure)
        ended = self._stage is Stage.RUNNING and all(member.ended for member in self._members.all)
        self._dismiss(None if ended else "the drill ended early")
        if ended:
            self._conclude()
        self._runner.quit()

    def fail(self, why: str) -> None:
        """End the load as failed."""
        self._failure = self._failure or why
        self._over.set()

    def _conclude(self) -> None:
        """Compare with Locust's own statistics, print them, and tell the controller that the load has ended.

        Raises:
            LoadFailed: they differ.
        """
        total = self._runner.stats.total
        got, expected = (total.num_requests, total.num_failures), (self._merge.ended, self._merge.errors)
        if got != expected:
            raise LoadFailed(
                f"Locust's statistics got {got[0]} requests with {got[1]} failures of the workers, "
                f"expected {expected[0]} with {expected[1]}"
            )
        print_stats(self._runner.stats, current=False)
        print_percentile_stats(self._runner.stats)
        print_error_report(self._runner.stats)
        for member in self._members.all:
            lifeline.emit(member.clock_event())
        lifeline.emit({"event": "ended"})

    def _dismiss(self, why: str | None) -> None:
        self._members.tell("over", why=why)
        self._members.flush()
        let_send()

    # the controller

    def _obey(self, command: Message) -> None:
        self._members.tell("command", command=dict(command))

    def _emit(self, event: Message) -> None:
        match event["event"]:
            case "ended":
                self._over.set()
            case "ready":
                self._stage = Stage.RUNNING
                for member in self._members.all:
                    lifeline.emit(member.clock_event())
                lifeline.emit(event)
            case _:
                lifeline.emit(event)

    # the workers

    def _take(self, environment: Environment, msg: LocustMessage, **_: object) -> None:
        """Take a message (Locust calls this, and would only log what is raised here)."""
        try:
            self._handle(msg.node_id, msg.data)
        except Exception as error:
            logger.exception("message of a worker: %r", msg)
            self.fail(one_line(error))

    def _handle(self, worker_id: str, message: dict[str, Any]) -> None:
        member = self._members.get(worker_id)
        if member is None:
            if message["do"] == "hello":
                self._welcome(worker_id, message)
            return
        try:
            member.inbox.check(message)
        except Lost as error:
            self.fail(f"{member.name}: {error}")
            return
        member.silent_s = 0.0
        match message["do"]:
            case "ping":
                member.outbox.put("pong", asked=message["asked"], wall=self._clock.now())
                if member.prepared:
                    self._read_clock(member, message)
            case "prepared":
                member.prepared = True
                self._read_clock(member, message)
                if all(one.prepared for one in self._members.all):
                    gevent.spawn(self._start)
            case "event":
                member.ended = message["event"]["event"] == "ended"
                self._merge.take(member.number, message["event"])
            case "failed":
                self.fail(f"{member.name}: {message['why']}")

    def _read_clock(self, member: Member, message: dict[str, Any]) -> None:
        member.read_clock(message["ahead_s"], message["error_s"])
        doubt = member.doubt()
        if doubt is not None:
            self.fail(doubt)

    def _welcome(self, worker_id: str, hello: dict[str, Any]) -> None:
        if hello["version"] != __version__:
            why = (
                f"got alertdrill {hello['version']} at {hello['host']}, expected {__version__} as in the drill; "
                f"install {__version__} there"
            )
            self._refuse(worker_id, why, hello["host"])
        elif self._stage is not Stage.JOINING:
            self._refuse(worker_id, f"the drill has its {self._members.of} workers already", hello["host"])
        else:
            member = self._members.join(worker_id, hello["host"])
            member.inbox.check(hello)
            member.outbox.put("joined", worker=member.number, of=self._members.of, version=__version__)
            self._told_joined()
            if len(self._members) == self._members.of:
                self._stage = Stage.PREPARING
                self._members.tell("task", **self._task.pack())

    def _refuse(self, worker_id: str, why: str, host: str) -> None:
        lifeline.emit({"event": "refused", "host": host, "why": why})
        self._members.outbox(worker_id).put("refused", why=why, version=__version__)

    def _told_joined(self) -> None:
        lifeline.emit({"event": "joined", "workers": len(self._members), "of": self._members.of})

    def _start(self) -> None:
        """Have Locust start one user in every worker, and in no process that is none of ours."""
        clients = self._runner.clients
        for worker_id in [worker_id for worker_id in clients if worker_id not in self._members]:
            del clients[worker_id]
        deadline = time.monotonic() + START_S
        while len(clients.ready) < self._members.of:  # one that was busy building has missed heartbeats
            if time.monotonic() > deadline:
                states = ", ".join(f"{clients[one.id].state}" for one in self._members.all if one.id in clients)
                self.fail(f"Locust's workers are not {STATE_INIT}: {states}")
                return
            gevent.sleep(0.02)
        self._runner.start(self._members.of, spawn_rate=self._members.of)

    # time

    def _tick_forever(self) -> NoReturn:
        while True:
            gevent.sleep(TICK_S)
            self._tick()

    def _tick(self) -> None:
        self._members.tell("alive", lease_s=lifeline.lease_left_s())
        self._merge.flush()
        for member in self._members.all:
            member.silent_s += TICK_S  # counted, not measured: if this process stood still, it heard nobody
            limit_s = PREPARE_S if self._stage is Stage.PREPARING else SILENCE_S
            if member.silent_s > limit_s and not member.ended:
                self._miss(member)
        if self._stage is Stage.JOINING and time.monotonic() > self._join_by:
            joined, of = len(self._members), self._members.of
            self.fail(f"{joined} of {of} workers joined the load within {self._arguments.join_s:g} s")

    def _miss(self, member: Member) -> None:
        if self._stage is Stage.JOINING:
            self._members.leave(member)
            self._told_joined()
        else:
            self.fail(f"{member.name} has not been heard for {SILENCE_S:g} s: its share of the load is missing")


def main() -> None:
    """Run the load that `ALERTDRILL_LOAD` names until the controller ends it."""
    play(_run)


def _run() -> None:
    task = Task.read(own_arguments())
    Master(task, listen(task.arguments.listen or Address())).run()
