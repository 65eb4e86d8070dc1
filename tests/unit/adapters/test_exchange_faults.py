"""Which exchanges are touched, and the account of them."""

from typing import Any

import pytest

from alertdrill.adapters.exchange_faults import ExchangeFaults, seq_of
from alertdrill.core.draws import chosen
from alertdrill.core.faults.base import Place
from alertdrill.core.faults.latency import Latency
from alertdrill.core.plan import Injection, Plan
from alertdrill.relay.exchange import Effect, End, Exchange, Request

SHARE = 0.3


def injection(name: str, segment: int, place: Place, delay_s: float) -> Injection:
    fault = Latency.model_validate({"kind": "latency", "share": SHARE, "delay": f"{delay_s}s", "place": place})
    return Injection(id=name, phase="p", segment=segment, unit=fault.unit, place=place, share=SHARE, fault=fault)


@pytest.fixture
def faults() -> ExchangeFaults:
    injections = (
        injection("p/short", 2, Place.MODEL, 0.1),
        injection("p/long", 2, Place.MODEL, 0.4),
        injection("q/other", 3, Place.MODEL, 0.2),
        injection("p/edge", 2, Place.EDGE, 9.0),
    )
    rest: dict[str, Any] = {"run_id": "r1", "seed": 7, "injections": injections}  # all that the proxy looks at
    return ExchangeFaults(Plan.model_construct(**rest), Place.MODEL, 1000.0)


def request(seq: bytes, run: bytes = b"r1") -> Request:
    return Request(b"POST", b"/", ((b"x-alertdrill-run", run), (b"x-alertdrill-seq", seq)), b"", 0.0)


def test_each_injection_touches_its_own_share_in_its_own_segment_and_delays_add_up(faults: ExchangeFaults) -> None:
    short, long = (chosen(7, name, 2, 0, 2000, SHARE) for name in ("p/short", "p/long"))
    effects = [faults.effect(request(b"2.%d" % i)) for i in range(2000)]
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
    "seq", [b"", b"1", b"1.", b".1", b"-1.2", b"1.2.3", b"1_0.2", b"1. 2", b"9" * 16 + b".1", b"1.\xb2"]
)
def test_what_is_no_seq_is_none(seq: bytes) -> None:
    assert seq_of(request(seq)) is None


def test_seq_is_segment_and_index() -> None:
    assert seq_of(request(b"12.345")) == (12, 345)


def test_seen_requests_are_reported_once_a_segment(faults: ExchangeFaults) -> None:
    for seq in (b"0.1", b"0.2", b"5.0"):
        faults.effect(request(seq))
    assert faults.events() == [{"event": "seen", "k": 0, "requests": 2}, {"event": "seen", "k": 5, "requests": 1}]
    assert faults.events() == []


def test_touched_exchanges_are_reported_in_wall_clock(faults: ExchangeFaults) -> None:
    both = Effect(0.5, ("p/short", "p/long"))
    faults.ended(Exchange(request(b"2.8"), 200, b"", 0.0, 2.5, End.ANSWERED, both, 1.0, 1.5))
    faults.ended(
        Exchange(request(b"2.9"), None, b"", 0.0, 3.0, End.CLIENT_GONE, Effect(0.1, ("p/short",)), 2.0, None, True)
    )
    faults.ended(Exchange(request(b"2.10"), 200, b"", 0.0, 3.0, End.ANSWERED))
    assert faults.events() == [
        {
            "event": "touched", "injection": "p/short", "k": 2, "i": [8, 9], "held": [1001.0, 1002.0],
            "released": [1001.5, None], "ended": [1002.5, None], "code": [200, 0],
        },
        {
            "event": "touched", "injection": "p/long", "k": 2, "i": [8], "held": [1001.0],
            "released": [1001.5], "ended": [1002.5], "code": [200],
        },
    ]  # fmt: skip
    assert faults.events() == []


def test_cleared_faults_touch_nothing_but_are_still_accounted(faults: ExchangeFaults) -> None:
    faults.clear()
    assert not any(faults.effect(request(b"2.%d" % i)) for i in range(200))
    assert faults.events() == [{"event": "seen", "k": 2, "requests": 200}]
    faults.ended(Exchange(request(b"2.1"), 200, b"", 0.0, 2.0, End.ANSWERED, Effect(0.1, ("p/long",)), 1.0, 1.1))
    assert faults.events()[0]["i"] == [1]
