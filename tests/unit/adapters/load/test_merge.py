"""Tests of one account out of several."""

from typing import Any

import numpy as np
import pytest

from alertdrill.adapters.load.merge import Merge
from alertdrill.adapters.load.share import Share
from alertdrill.adapters.load.tally import LogHistogram, Tally


def _sent(k: int = 0, upto: int = 0, in_flight: int = 0, **given: Any) -> dict[str, Any]:
    latencies = LogHistogram()
    latencies.add(np.array(given.get("latencies_s", []), dtype=np.float64))
    codes = given.get("codes", {})
    return {
        "event": "sent", "k": k, "upto": upto, "late": given.get("late", []), "errors": given.get("errors", {}),
        "answered": sum(codes.values()), "codes": codes, "latencies": latencies.bins(),
        "latency_max_s": latencies.max_s, "in_flight": in_flight,
    }  # fmt: skip


class Told:
    """A merge, and what it told the controller."""

    def __init__(self, workers: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.merge = Merge(workers, lambda event: self.events.append(dict(event)))

    def of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


def test_what_several_sent_is_told_once_all_have_reported() -> None:
    told = Told(2)
    told.merge.take(0, _sent(upto=40, in_flight=3, codes={"200": 2}, latencies_s=[0.1, 0.2], late=[(7, 0.03)]))
    assert not told.events
    told.merge.take(
        1, _sent(upto=30, in_flight=1, codes={"200": 1, "503": 1}, errors={"reset": 1}, latencies_s=[0.3, 0.4])
    )
    (event,) = told.events
    assert (event["upto"], event["in_flight"], event["answered"]) == (70, 4, 4)
    assert (event["codes"], event["errors"], event["late"]) == ({"200": 3, "503": 1}, {"reset": 1}, [(7, 0.03)])
    assert sum(count for _, count in event["latencies"]) == 4
    assert event["latency_max_s"] == pytest.approx(0.4)
    assert (told.merge.ended, told.merge.errors) == (5, 2)


def test_one_worker_is_told_of_at_once() -> None:
    told = Told(1)
    told.merge.take(0, _sent(upto=5))
    assert told.of("sent")[0]["latencies"] == []


def test_a_worker_that_has_nothing_to_report_does_not_hold_up_the_others() -> None:
    told = Told(2)
    told.merge.take(0, _sent(upto=40))
    told.merge.flush()
    told.merge.flush()
    assert [event["upto"] for event in told.events] == [40]


def test_reports_of_two_segments_are_not_mixed() -> None:
    told = Told(2)
    told.merge.take(0, _sent(k=0, upto=40))
    told.merge.take(1, _sent(k=1, upto=2))
    told.merge.flush()
    assert [(event["k"], event["upto"]) for event in told.events] == [(0, 40), (1, 2)]


def _tallies(workers: int, count: int = 2345) -> list[Tally]:
    errors_s = np.random.default_rng(5).lognormal(-8, 2, count)
    tallies = []
    for worker in range(workers):
        indexes = Share(worker, workers).indexes(count)
        tally = Tally()
        tally.attempted(errors_s[indexes], indexes.tolist(), [b"%d" % i for i in indexes.tolist()])
        tally.confirmed(100.0 + indexes[0] * 0.01, 100.0 + indexes[-1] * 0.01)
        answered = errors_s[indexes][2 * (worker == 0) :]
        tally.ended(answered, answered / 2, failed=worker == 0, rate_limited=3 * (worker == 0))
        for i in indexes[indexes % 50 == 0].tolist():
            tally.read("nothing" if i == 100 else None)
        tallies.append(tally)
    return tallies


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_a_segment_closes_with_the_same_account_whatever_the_number_of_workers(workers: int) -> None:
    accounts = []
    for number in (1, workers):
        told = Told(number)
        for worker, tally in enumerate(_tallies(number)):
            assert not told.of("closed")
            told.merge.take(worker, tally.closed(4, len(Share(worker, number).indexes(2345))))
        accounts.append(told.of("closed"))
    assert accounts[0] == accounts[1]
    (account,) = accounts[0]
    assert (account["scheduled"], account["sent"], account["failed"], account["in_flight"]) == (2345, 2345, 1, 1)
    assert account["rate_limited"] == 3
    assert (account["answers_read"], account["answers_unreadable"], account["unreadable_example"]) == (47, 1, "nothing")
    assert (account["first_sent"], len(account["payload_sha256"])) == (100.0, 3)


def test_a_segment_is_drained_when_it_is_for_every_worker_that_waited() -> None:
    told = Told(2)
    first, second = _tallies(2)
    told.merge.take(0, first.closed(0, 1200))
    first.ended(np.array([0.1]), np.array([0.1]), failed=0)
    told.merge.take(0, first.drained(0, 205.0))
    assert not told.of("drained")  # before it is closed
    told.merge.take(1, second.closed(0, 1145))
    assert [event["event"] for event in told.events] == ["closed", "drained"]
    assert told.of("drained")[0] == {
        "event": "drained",
        "k": 0,
        "last_ended": 205.0,
        "answered": 1,
        "failed": 0,
        "rate_limited": 0,
        "denied": 0,
    }


def test_two_that_drain_are_told_of_together() -> None:
    told = Told(2)
    for worker in (0, 1):
        tally = Tally()
        tally.attempted(np.zeros(1), [worker * 40], [b""])
        told.merge.take(worker, tally.closed(0, 1))
        tally.ended(np.zeros(1), np.zeros(1), failed=0)
        if worker:
            told.merge.take(1, tally.drained(0, 7.0))
    assert not told.of("drained")
    told.merge.take(
        0, {"event": "drained", "k": 0, "last_ended": 9.0, "answered": 1, "failed": 0, "rate_limited": 0, "denied": 0}
    )
    assert told.of("drained") == [
        {"event": "drained", "k": 0, "last_ended": 9.0, "answered": 2, "failed": 0, "rate_limited": 0, "denied": 0}
    ]


def test_a_worker_that_never_began_a_segment_does_not_keep_it_open() -> None:
    told = Told(2)
    told.merge.take(0, Tally().closed(0, 0))
    told.merge.take(0, {"event": "ended"})
    assert not told.events
    told.merge.take(1, {"event": "ended"})
    assert [event["event"] for event in told.events] == ["closed", "ended"]


def test_ready_and_ended_wait_for_all() -> None:
    told = Told(2)
    for name in ("ready", "ended"):
        told.merge.take(0, {"event": name})
        assert not told.of(name)
        told.merge.take(1, {"event": name})
        assert told.of(name) == [{"event": name}]


def test_effects_pass_as_they_come() -> None:
    told = Told(2)
    touched = {"event": "touched", "injection": "a", "k": 0, "i": [1], "sent": [1.0]}
    told.merge.take(1, touched)
    assert told.events == [touched]
