import time
from types import SimpleNamespace
from typing import Any

import pytest

from alertdrill.adapters.drill_processes import EventJournal
from alertdrill.core import journal as records


class Written(list[records.Record]):
    write = list.append


def taken(kind: str, **event: Any) -> tuple[Written, EventJournal]:
    written = Written()
    events = EventJournal(SimpleNamespace(segments=()), written)
    (events.of_proxy if kind == "proxy" else events.of_load)(event)
    return written, events


def test_a_held_exchange_is_touched_and_served() -> None:
    written, events = taken(
        "proxy",
        event="touched",
        injection="slow/latency",
        k=3,
        i=[5],
        effect_at=[10.0],
        released=[10.4],
        ended=[10.5],
        code=[200],
    )
    touched, served = written
    assert (touched.i, touched.effect_at) == ((5,), (10.0,))
    assert served.served_at == (10.5,)
    assert events.last_touched == 10.0


def test_an_exchange_that_was_cut_before_it_was_held_is_not_touched() -> None:
    written, events = taken(
        "proxy", event="touched", injection="slow/latency", k=3, i=[5, 6], effect_at=[None, 11.0],
        released=[None, 11.4], ended=[None, 11.5], code=[0, 200],
    )  # fmt: skip
    assert (written[0].i, written[0].effect_at) == ((6,), (11.0,))
    assert events.last_touched == 11.0


def test_a_sent_request_is_touched_before_it_is_answered() -> None:
    written, _ = taken("load", event="touched", injection="n/nulls", k=1, i=[2], **{"from": 7.0, "sent_us": [0]})
    assert [one.record for one in written] == ["touched"]
    late = {"from": 7.1, "done_us": [0, 5000]}
    written, _ = taken("load", event="answered", injection="n/nulls", k=1, i=[2, 3], code=[200, 0], **late)
    assert [one.record for one in written] == ["served"]
    assert written[0].served_at == (7.1, None)


def test_a_closed_segment_keeps_its_account() -> None:
    account = {
        "k": 1, "scheduled": 10, "sent": 10, "suppressed": 0, "within_100ms": 10, "answered": 9,
        "failed": 1, "rate_limited": 0, "denied": 0, "in_flight": 0,
        "answers_read": 1, "answers_unreadable": 1, "unreadable_example": "nothing",
        "first_sent": 1.0, "last_sent": 2.0, "error_p50_s": 0.0, "error_p99_s": 0.0, "error_max_s": 0.0,
        "first_byte_p50_s": 0.1, "first_byte_p99_s": 0.2, "latency_p50_s": 0.1, "latency_p95_s": 0.2,
        "latency_p99_s": 0.2, "latency_max_s": 0.3,
        "payload_sha256": ["a"],
    }  # fmt: skip
    written, _ = taken("load", event="closed", **account)
    assert written[0].model_dump(exclude={"at", "record"}) == account | {"payload_sha256": ("a",)}


def test_the_journal_says_how_well_a_worker_knows_the_time() -> None:
    known = {"worker": 2, "host": "there", "ahead_s": 3.7, "error_s": 0.001}
    written, _ = taken("load", event="worker", **known)
    assert [one.model_dump(exclude={"at", "record"}) for one in written] == [known]


def test_a_fault_lasts_until_the_last_request_of_its_segment_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 50.0)
    injections = {1: ("p/black_hole",)}
    events = EventJournal(
        SimpleNamespace(segments=(), segment_injections=lambda k: injections.get(k, ())), written := Written()
    )
    names = records.SegmentClosed.model_fields.keys() - {"at", "record"}
    closed = dict.fromkeys(names, 0) | {"payload_sha256": [], "unreadable_example": None}
    for k in (0, 1):
        events.started(k, 10.0 * k)
    events.of_load({**closed, "event": "closed", "k": 0, "in_flight": 2})
    events.of_load({**closed, "event": "closed", "k": 1, "in_flight": 2})
    assert events.last_touched == 50.0
    events.of_load(
        {"event": "drained", "k": 0, "last_ended": 21.0, "answered": 2, "failed": 0, "rate_limited": 0, "denied": 0}
    )
    assert events.last_touched == 50.0
    events.of_load(
        {"event": "drained", "k": 1, "last_ended": 30.0, "answered": 0, "failed": 2, "rate_limited": 0, "denied": 0}
    )
    assert events.last_touched == 30.0
    assert [one.record for one in written] == ["segment_closed"] * 2 + ["segment_drained"] * 2


def test_a_fault_is_over_with_its_segment_where_nothing_was_in_flight() -> None:
    written = Written()
    events = EventJournal(SimpleNamespace(segments=(), segment_injections=lambda k: ("p/nulls",)), written)
    names = records.SegmentClosed.model_fields.keys() - {"at", "record"}
    closed = dict.fromkeys(names, 0) | {"payload_sha256": [], "unreadable_example": None}
    events.started(1, 0.0)
    events.of_load({"event": "touched", "injection": "p/nulls", "k": 1, "i": [2], "from": 7.0, "sent_us": [0]})
    events.of_load({**closed, "event": "closed", "k": 1})
    assert events.last_touched == 7.0


def test_requests_without_an_answer_are_counted_by_their_kind() -> None:
    _, events = taken("load", event="sent", k=1, late=[], errors={"timeout": 2})
    events.of_load({"event": "sent", "k": 1, "late": [], "errors": {"timeout": 1, "certificate": 4}})
    assert events.failures == {"certificate": 4, "timeout": 3}
