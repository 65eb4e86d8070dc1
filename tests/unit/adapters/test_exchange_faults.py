"""Which exchanges are touched and how, and the account of them."""

from typing import Any, get_args

import pytest

from alertdrill.adapters.exchange_faults import MOST_REPLAYED_BYTES, ExchangeFaults
from alertdrill.core.faults.base import ExchangeFault, Place
from alertdrill.core.faults.exchange.black_hole import BlackHole
from alertdrill.core.faults.exchange.connection_reset import ConnectionReset
from alertdrill.core.faults.exchange.corrupted_answer import CorruptedAnswer
from alertdrill.core.faults.exchange.http_error import HttpError
from alertdrill.core.faults.exchange.latency import Latency
from alertdrill.core.faults.exchange.slow_answer import SlowAnswer
from alertdrill.core.faults.exchange.slow_upload import SlowUpload
from alertdrill.core.faults.exchange.stuck_answer import StuckAnswer
from alertdrill.core.faults.exchange.truncated_answer import TruncatedAnswer
from alertdrill.core.plan import Injection, Plan, Segment, SegmentKind
from alertdrill.core.timeline import Arrivals
from alertdrill.core.touch import Touch
from alertdrill.relay.exchange import Cut, Effect, End, Exchange, Headers, Request

SEED, COUNT, SHARE = 7, 2000, 0.3


def injection(name: str, segment: int, kind: type[ExchangeFault], **fields: Any) -> Injection:
    (name_of_kind,) = get_args(kind.model_fields["kind"].annotation)
    fault = kind.model_validate({"kind": name_of_kind, "share": SHARE, **fields})
    return Injection.model_construct(
        id=name, phase="p", segment=segment, unit=fault.unit, place=fault.place, share=fault.share, fault=fault
    )


def plan(*injections: Injection) -> Plan:
    """All of a plan that a proxy looks at: segments of 20 s with 100 requests a second."""
    arrivals = Arrivals(kind="constant", rate_per_s=COUNT / 20)
    segments = tuple(
        Segment.model_construct(
            k=k, kind=SegmentKind.PHASE, name="p", duration_s=20.0, arrivals=arrivals, count=COUNT, arrivals_sha256=""
        )
        for k in range(5)
    )
    return Plan.model_construct(run_id="r1", seed=SEED, segments=segments, injections=injections)


def faults_of(*injections: Injection) -> ExchangeFaults:
    return ExchangeFaults(plan(*injections), Place.MODEL, 1000.0)


LATENCIES = (
    injection("p/short", 2, Latency, delay="100ms"),
    injection("p/long", 2, Latency, delay="400ms"),
    injection("q/other", 3, Latency, delay="200ms"),
    injection("p/edge", 2, Latency, delay="9s", place="edge"),
)


@pytest.fixture
def faults() -> ExchangeFaults:
    return faults_of(*LATENCIES)


def request(seq: bytes, run: bytes = b"r1") -> Request:
    return Request(b"POST", b"/", ((b"x-alertdrill-run", run), (b"x-alertdrill-seq", seq)), b"", 0.0)


def effect_of(*injections: Injection) -> Effect | None:
    """What injections of share 1 do to one exchange."""
    return faults_of(*injections).effect(request(b"2.5"))


def test_each_injection_touches_its_own_share_in_its_own_segment_and_delays_add_up(faults: ExchangeFaults) -> None:
    touch = Touch(plan(*LATENCIES))
    short, long = (touch.mask(one, 0, COUNT) for one in LATENCIES[:2])
    effects = [faults.effect(request(b"2.%d" % i)) for i in range(COUNT)]
    assert [effect.delay_s if effect else 0.0 for effect in effects] == pytest.approx(list(0.1 * short + 0.4 * long))
    assert {effect.causes for effect in effects if effect} == {("p/short",), ("p/long",), ("p/short", "p/long")}
    assert {e.causes for i in range(200) if (e := faults.effect(request(b"3.%d" % i)))} == {("q/other",)}
    assert not any(faults.effect(request(b"1.%d" % i)) for i in range(200))


def test_other_runs_and_requests_without_a_place_in_the_plan_are_neither_touched_nor_counted(
    faults: ExchangeFaults,
) -> None:
    for i in range(100):
        assert faults.effect(request(b"2.%d" % i, run=b"r2")) is None
        assert faults.effect(Request(b"GET", b"/", (), b"", 0.0)) is None
    assert faults.effect(request(b"nonsense")) is None
    assert faults.events() == []


@pytest.mark.parametrize(
    "seq", [b"", b"2", b"2.", b".1", b"-2.2", b"2.2.3", b"2_0.2", b"2. 2", b"9" * 16 + b".1", b"2.\xb2"]
)
def test_a_request_without_a_number_is_neither_touched_nor_counted(faults: ExchangeFaults, seq: bytes) -> None:
    assert faults.effect(request(seq)) is None
    assert faults.events() == []


def test_a_request_past_the_end_of_the_plan_is_counted_and_not_touched() -> None:
    faults = faults_of(injection("p/all", 2, Latency, delay="1s", share=1))
    assert faults.effect(request(b"2.%d" % (COUNT - 1))) is not None
    assert faults.effect(request(b"2.%d" % COUNT)) is None
    assert faults.effect(request(b"2.999999999999999")) is None
    assert faults.events() == [{"event": "seen", "k": 2, "requests": 3}]


def test_seen_requests_are_reported_once_a_segment(faults: ExchangeFaults) -> None:
    for seq in (b"0.1", b"0.2", b"5.0"):
        faults.effect(request(seq))
    assert faults.events() == [{"event": "seen", "k": 0, "requests": 2}, {"event": "seen", "k": 5, "requests": 1}]
    assert faults.events() == []


# how effects combine


def test_every_kind_reaches_the_relay_as_what_it_is() -> None:
    rest = {"share": 1}
    error = effect_of(injection("p/e", 2, HttpError, status=502, body="{}", retry_after="1500ms", **rest))
    assert error is not None
    assert error.answer is not None
    assert (error.answer.status, error.answer.body) == (502, b"{}")
    assert error.answer.headers == ((b"Content-Type", b"application/json"), (b"Retry-After", b"2"))
    causes = ("p/e",)
    assert effect_of(injection("p/e", 2, ConnectionReset, **rest)) == Effect(cut=Cut.RESET, causes=causes)
    assert effect_of(injection("p/e", 2, BlackHole, **rest)) == Effect(cut=Cut.SILENCE, causes=causes)
    assert effect_of(injection("p/e", 2, TruncatedAnswer, **rest)) == Effect(kept=0.5, causes=causes)
    assert effect_of(injection("p/e", 2, SlowAnswer, over="2s", **rest)) == Effect(download_s=2.0, causes=causes)
    assert effect_of(injection("p/e", 2, SlowUpload, over="2s", **rest)) == Effect(upload_s=2.0, causes=causes)
    corrupted = effect_of(injection("p/e", 2, CorruptedAnswer, **rest))
    assert corrupted is not None
    assert corrupted.edit is not None
    assert corrupted.edit(b"0123456789") != b"0123456789"


def test_times_add_up_and_of_the_rest_the_first_in_the_scenario_stands() -> None:
    effect = effect_of(
        injection("p/1", 2, SlowAnswer, over="1s", share=1),
        injection("p/2", 2, TruncatedAnswer, share=1),
        injection("p/3", 2, Latency, delay="1s", share=1),
        injection("p/4", 2, ConnectionReset, share=1),
        injection("p/5", 2, SlowAnswer, over="2s", share=1),
        injection("p/6", 2, SlowUpload, over="4s", share=1),
    )
    assert effect == Effect(
        delay_s=1.0, upload_s=4.0, kept=0.5, download_s=3.0, causes=("p/1", "p/2", "p/3", "p/5", "p/6")
    )


def test_an_injection_without_dose_takes_no_part() -> None:
    late = {"kind": "ramp", "of": "dose", "at": "10s", "over": "5s"}
    growing = injection("p/grows", 2, Latency, delay="1s", share=1, profile=late)
    faults = faults_of(growing, injection("p/slow", 2, SlowAnswer, over="1s", share=1))
    early, full = faults.effect(request(b"2.100")), faults.effect(request(b"2.1999"))
    assert early == Effect(download_s=1.0, causes=("p/slow",))
    assert full == Effect(delay_s=1.0, download_s=1.0, causes=("p/grows", "p/slow"))
    halfway = faults.effect(request(b"2.1250"))
    assert halfway is not None
    assert halfway.delay_s == pytest.approx(0.5, abs=0.01)
    assert faults_of(growing).effect(request(b"2.100")) is None


# replays


def answered(
    seq: bytes, body: bytes, headers: Headers = ((b"content-type", b"text/x"), (b"date", b"now")), **changes: Any
) -> Exchange:
    given = {"run": b"r1", "status": 200, "end": End.ANSWERED, **changes}
    run, status, end = given.pop("run"), given.pop("status"), given.pop("end")
    return Exchange(request(seq, run), status, body, 0.0, 2.5, end, response_headers=headers, **given)


def test_a_replay_gives_the_first_whole_answer_of_an_untouched_exchange() -> None:
    faults = faults_of(injection("p/stuck", 2, StuckAnswer, share=1), LATENCIES[2])
    assert faults.effect(request(b"2.1")) is None
    for exchange in (
        answered(b"1.1", b"other run", run=b"r2"),
        answered(b"1.2", b"no success", status=503),
        answered(b"1.3", b"broken off", end=End.UPSTREAM_CLOSED, cut=True),
        answered(b"1.4", b""),
        answered(b"1.5", bytes(MOST_REPLAYED_BYTES + 1)),
        answered(b"1.6", b"touched", effect=Effect(0.1, causes=("q/other",))),
    ):
        faults.ended(exchange)
        assert faults.effect(request(b"2.2")) is None
    faults.ended(
        answered(b"1.7", b"first", ((b"content-type", b"text/x"), (b"content-encoding", b"br"), (b"age", b"9")))
    )
    faults.ended(answered(b"1.8", b"second"))
    effect = faults.effect(request(b"2.3"))
    assert effect is not None
    assert effect.causes == ("p/stuck",)
    assert effect.answer is not None
    assert (effect.answer.status, effect.answer.body) == (200, b"first")
    assert effect.answer.headers == ((b"content-type", b"text/x"), (b"content-encoding", b"br"))


def test_while_there_is_nothing_to_replay_the_next_of_the_scenario_stands() -> None:
    faults = faults_of(injection("p/stuck", 2, StuckAnswer, share=1), injection("p/cut", 2, TruncatedAnswer, share=1))
    assert faults.effect(request(b"2.3")) == Effect(kept=0.5, causes=("p/cut",))
    faults.ended(answered(b"1.7", b"first"))
    effect = faults.effect(request(b"2.3"))
    assert effect is not None
    assert effect.causes == ("p/stuck",)


# the account


def test_touched_exchanges_are_reported_in_wall_clock(faults: ExchangeFaults) -> None:
    both = Effect(0.5, causes=("p/short", "p/long"))
    one = Effect(0.1, causes=("p/short",))
    faults.ended(Exchange(request(b"2.8"), 200, b"", 0.0, 2.5, End.ANSWERED, both, 1.0, 1.5))
    faults.ended(Exchange(request(b"2.9"), None, b"", 0.0, 3.0, End.CLIENT_GONE, one, 2.0, None, True))
    faults.ended(Exchange(request(b"2.7"), 502, b"", 0.0, 3.0, End.UPSTREAM_REFUSED, one, None, 1.25))
    faults.ended(Exchange(request(b"2.10"), 200, b"", 0.0, 3.0, End.ANSWERED))
    assert faults.events() == [
        {
            "event": "touched", "injection": "p/short", "k": 2, "i": [8, 9, 7], "effect_at": [1001.0, 1002.0, None],
            "released": [1001.5, None, 1001.25], "ended": [1002.5, None, 1003.0], "code": [200, 0, 502],
        },
        {
            "event": "touched", "injection": "p/long", "k": 2, "i": [8], "effect_at": [1001.0],
            "released": [1001.5], "ended": [1002.5], "code": [200],
        },
    ]  # fmt: skip
    assert faults.events() == []


def test_cleared_faults_touch_nothing_but_are_still_accounted(faults: ExchangeFaults) -> None:
    faults.clear()
    assert not any(faults.effect(request(b"2.%d" % i)) for i in range(200))
    assert faults.events() == [{"event": "seen", "k": 2, "requests": 200}]
    held = Effect(0.1, causes=("p/long",))
    faults.ended(Exchange(request(b"2.1"), 200, b"", 0.0, 2.0, End.ANSWERED, held, 1.0, 1.1))
    assert faults.events()[0]["i"] == [1]
