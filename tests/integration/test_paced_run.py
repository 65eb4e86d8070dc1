"""The run that hands tickets of the plan to users: in this process, with greenlets for users and no sockets."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest
from tests.integration.load_process import FAULT_GATE, arguments, make_plan

from alertdrill.adapters.load.paced import LoadOver, PacedRun, Ticket
from alertdrill.adapters.load.task import Task
from alertdrill.core.faults.base import Body

BODY = Body(b'{"f1": 1.5}', "application/json")
LIMIT_S = 5.0


class Paced:
    """A run in a greenlet of its own, with what it told."""

    def __init__(self, folder: Path, **options: Any) -> None:
        make_plan(folder, "20/s")
        self.events: list[dict[str, Any]] = []
        task = Task.read(arguments(folder, "http://127.0.0.1:9", **options))
        self.run = PacedRun(task, lambda event: self.events.append(dict(event)), lambda: "nobody came")
        self.greenlet = gevent.spawn(self._run)

    def _run(self) -> str:
        try:
            self.run.run()
        except RuntimeError as error:
            return str(error)
        return "over"

    def begin(self) -> None:
        """Begin a segment now."""
        self.run.handle({"do": "segment", "k": FAULT_GATE, "at": time.time()})

    def close(self) -> str:
        """Close the load; how it ended."""
        self.run.handle({"do": "close", "at": time.time()})
        return str(self.greenlet.get(timeout=LIMIT_S))

    def told(self, key: str) -> dict[str, int]:
        """Counts of answers (`codes`) or failures (`errors`) so far."""
        found: dict[str, int] = {}
        for event in self.events:
            for name, count in event.get(key, {}).items() if event["event"] == "sent" else ():
                found[name] = found.get(name, 0) + count
        return found


@pytest.fixture
def load(tmp_path: Path) -> Paced:
    return Paced(tmp_path)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        gevent.sleep(0.005)


def call(load: Paced) -> Ticket:
    """A user that is answered at once."""
    ticket = load.run.ticket(BODY)
    load.run.over(ticket.request, time.perf_counter(), status=200)
    return ticket


def test_tickets_are_given_in_the_order_of_the_plan_to_whoever_waits_longest(load: Paced) -> None:
    users = [gevent.spawn(call, load) for _ in range(4)]
    gevent.sleep(0)
    load.begin()
    gevent.joinall(users, timeout=LIMIT_S)
    assert [user.value.request.index for user in users] == [0, 1, 2, 3]
    assert all(0 <= user.value.request.attempted - user.value.request.intended < 0.1 for user in users)
    assert load.close() == "over"


def test_a_user_that_gives_up_waiting_takes_no_ticket(load: Paced) -> None:
    leaves, stays = gevent.spawn(call, load), gevent.spawn(call, load)
    gevent.sleep(0)
    leaves.kill()
    load.begin()
    stays.join(timeout=LIMIT_S)
    assert stays.value.request.index == 0
    assert load.close() == "over"
    assert load.told("errors") == {}


def test_a_user_that_ends_with_its_ticket_in_hand_has_given_up(load: Paced) -> None:
    user = gevent.spawn(call, load)
    gevent.sleep(0)
    load.run.began(FAULT_GATE)
    now = time.perf_counter()
    user.kill(block=False)
    assert load.run.send(FAULT_GATE, 0, now, now)
    user.join(timeout=LIMIT_S)
    load.run._report()
    assert load.told("errors") == {"given_up": 1}


def test_a_user_that_comes_late_is_served_at_once(load: Paced) -> None:
    load.begin()
    gevent.sleep(0.2)
    user = gevent.spawn(call, load)
    user.join(timeout=LIMIT_S)
    assert user.value.request.attempted - user.value.request.intended > 0.1
    assert load.close() == "over"
    assert [late for event in load.events if event["event"] == "sent" for late in event["late"]]


def test_after_the_end_a_user_is_told_to_stop(load: Paced) -> None:
    load.begin()
    assert load.close() == "over"
    with pytest.raises(LoadOver):
        load.run.ticket(BODY)


def test_users_that_do_something_else_fail_the_load(tmp_path: Path) -> None:
    load = Paced(tmp_path, silent_s=0.3)
    load.begin()
    assert load.greenlet.get(timeout=LIMIT_S) == "nobody came"


def test_users_that_wait_for_answers_do_not(tmp_path: Path) -> None:
    load = Paced(tmp_path, silent_s=0.3)
    user = gevent.spawn(load.run.ticket, BODY)
    load.begin()
    user.join(timeout=LIMIT_S)
    gevent.sleep(1.0)
    assert not load.greenlet.ready()
    load.run.over(user.value.request, time.perf_counter(), status=200)
    assert load.greenlet.get(timeout=LIMIT_S) == "nobody came"


def test_silence_while_nothing_is_due_is_none(load: Paced) -> None:
    load.run._starved_at = time.perf_counter() - 60.0  # in a segment that has ended
    wait_for(lambda: load.run._starved_at is None)
    assert not load.greenlet.ready()
    assert load.close() == "over"
