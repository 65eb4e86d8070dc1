"""Tests of the events that the controller gets."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from alertdrill.adapters.load.reporting import Reporter
from alertdrill.adapters.load.request import Combinations, Failure, Request
from alertdrill.protocols.json_template import Json

OFFSET_S = 1000.0


class Desk:
    """A reporter and all that it said."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, object]] = []
        self.folded: list[Request] = []
        self.combinations = Combinations()
        self.reporter = Reporter(self.events.append, lambda at: at + OFFSET_S, self._fold, self.combinations, Json())
        self.reporter.began(3)

    def _fold(self, requests: Sequence[Request]) -> None:
        self.folded += requests

    def attempt(self, i: int, at: float, late_s: float = 0.0, touched: tuple[str, ...] = ()) -> Request:
        (number,) = self.combinations.numbers({one: np.array([True]) for one in touched}, 1)
        request = Request(3, i, b"body", b"data", number)
        request.answering = at
        request.intended, request.attempted = at - late_s, at
        request.sent = at + 0.001
        self.reporter.attempted.append(request)
        return request

    def end(self, request: Request, at: float, status: int = 200, failure: Failure | None = None) -> None:
        request.ended, request.status, request.failure = at, status, failure
        self.reporter.ended.append(request)

    def report(self) -> dict[str, list[Mapping[str, object]]]:
        """Report; the new events by kind."""
        self.events.clear()
        self.reporter.report()
        return {str(kind): [e for e in self.events if e["event"] == kind] for kind in {e["event"] for e in self.events}}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_is_said_when_nothing_happened(desk: Desk) -> None:
    assert desk.report() == {}


def test_latency_counts_from_the_intended_send(desk: Desk) -> None:
    desk.end(desk.attempt(0, at=5.0, late_s=0.5), at=5.1)
    (sent,) = desk.report()["sent"]
    assert sent["latency_max_s"] == pytest.approx(0.6)
    assert sent["late"] == [(0, pytest.approx(0.5))]


def test_punctual_sends_are_not_listed(desk: Desk) -> None:
    desk.attempt(0, at=5.0, late_s=0.019)
    assert desk.report()["sent"][0]["late"] == []


def test_counts_are_since_the_last_report_and_upto_is_from_the_start(desk: Desk) -> None:
    first, second = desk.attempt(0, at=1.0), desk.attempt(1, at=1.1)
    desk.report()
    desk.end(first, at=1.2, status=422)
    desk.end(second, at=1.3, failure=Failure.RESET, status=0)
    desk.attempt(2, at=1.25)
    (sent,) = desk.report()["sent"]
    assert (sent["upto"], sent["answered"], sent["in_flight"]) == (3, 1, 1)
    assert (sent["codes"], sent["errors"]) == ({"422": 1}, {"reset": 1})
    assert [request.index for request in desk.folded] == [0, 1]


def test_untouched_requests_are_never_listed(desk: Desk) -> None:
    desk.end(desk.attempt(0, at=1.0), at=1.1)
    assert set(desk.report()) == {"sent"}


def test_a_touched_request_is_told_of_when_sent_and_again_when_answered(desk: Desk) -> None:
    request = desk.attempt(4, at=1.0, touched=("a/nulls", "a/malformed_json"))
    touched = desk.report()["touched"]
    assert [event["injection"] for event in touched] == ["a/malformed_json", "a/nulls"]
    assert touched[1] == {
        "event": "touched",
        "injection": "a/nulls",
        "k": 3,
        "i": [4],
        "from": 1001.001,
        "sent_us": [0],
    }
    desk.end(request, at=1.1, status=422)
    answered = desk.report()["answered"]
    assert answered[1] == {
        "event": "answered", "injection": "a/nulls", "k": 3, "i": [4], "from": 1001.1, "done_us": [0], "code": [422],
    }  # fmt: skip


def test_a_touched_request_counts_as_sent_only_when_its_last_byte_left(desk: Desk) -> None:
    request = desk.attempt(0, at=1.0, touched=("a/nulls",))
    request.sent = 0.0
    assert "touched" not in desk.report()
    request.sent = 1.4
    assert desk.report()["touched"][0]["from"] == 1001.4
    assert desk.report() == {}


def test_a_touched_request_that_never_left_is_only_told_of_as_failed(desk: Desk) -> None:
    request = desk.attempt(0, at=1.0, touched=("a/nulls",))
    request.sent = 0.0
    desk.end(request, at=1.1, status=0, failure=Failure.REFUSED)
    events = desk.report()
    assert "touched" not in events
    assert events["answered"][0]["code"] == [0]


def test_closing_tells_the_rest_first(desk: Desk) -> None:
    desk.attempt(0, at=1.0, touched=("a/nulls",))
    desk.reporter.closed(3, scheduled=2)
    assert [event["event"] for event in desk.events] == ["touched", "sent", "closed"]
    assert (desk.events[-1]["scheduled"], desk.events[-1]["sent"]) == (2, 1)


def test_answers_after_the_change_count_for_their_own_segment(desk: Desk) -> None:
    request = desk.attempt(0, at=1.0)
    desk.reporter.closed(3, scheduled=1)
    desk.reporter.began(4)
    desk.end(request, at=1.5)
    assert desk.report()["sent"][0]["answered"] == 1
    desk.reporter.closed(4, scheduled=0)
    assert desk.events[-1]["answered"] == 0


def test_a_closed_segment_is_drained_with_the_end_of_its_last_request(desk: Desk) -> None:
    answered, failed = desk.attempt(0, at=1.0), desk.attempt(1, at=1.1)
    desk.reporter.closed(3, scheduled=2)
    desk.reporter.began(4)
    desk.end(answered, at=1.5)
    assert "drained" not in desk.report()
    desk.end(failed, at=11.1, status=0, failure=Failure.TIMEOUT)
    (drained,) = desk.report()["drained"]
    assert drained == {
        "event": "drained",
        "k": 3,
        "last_ended": 1011.1,
        "answered": 1,
        "failed": 1,
        "rate_limited": 0,
        "denied": 0,
    }
    assert desk.report() == {}


def test_a_segment_without_a_request_in_flight_is_not_drained_later(desk: Desk) -> None:
    desk.end(desk.attempt(0, at=1.0), at=1.1)
    desk.reporter.closed(3, scheduled=1)
    assert [event["event"] for event in desk.events] == ["sent", "closed"]
