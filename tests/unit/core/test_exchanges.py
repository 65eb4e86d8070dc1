from dataclasses import replace

import pytest

from alertdrill.core.exchanges import cannot_be_inside, combined, ends_before
from alertdrill.core.faults.base import Answer, Cut, ExchangeEffect, ExchangeFault, Place
from alertdrill.core.faults.exchange.black_hole import BlackHole
from alertdrill.core.faults.exchange.connection_reset import ConnectionReset
from alertdrill.core.faults.exchange.corrupted_answer import CorruptedAnswer
from alertdrill.core.faults.exchange.http_error import HttpError
from alertdrill.core.faults.exchange.latency import Latency
from alertdrill.core.faults.exchange.rate_limited import RateLimited
from alertdrill.core.faults.exchange.slow_answer import SlowAnswer
from alertdrill.core.faults.exchange.slow_upload import SlowUpload
from alertdrill.core.faults.exchange.stuck_answer import StuckAnswer
from alertdrill.core.faults.exchange.truncated_answer import TruncatedAnswer
from alertdrill.core.faults.row.nulls import Nulls

INSIDE = {"share": 0.2, "place": "inside"}


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (ConnectionReset(kind="connection_reset", **INSIDE), "reset a connection"),
        (TruncatedAnswer(kind="truncated_answer", **INSIDE), "break an answer off"),
        (SlowUpload(kind="slow_upload", over="1s", **INSIDE), "slow the upload of a request"),
        (StuckAnswer(kind="stuck_answer", **INSIDE), "give an earlier answer again"),
    ],
    ids=lambda one: getattr(one, "kind", None),
)
def test_what_needs_the_connection_or_a_memory_cannot_be_inside(one: ExchangeFault, reason: str) -> None:
    assert cannot_be_inside(one) == f"edge or model, as an ASGI app cannot {reason}"


@pytest.mark.parametrize(
    "one",
    [
        Latency(kind="latency", delay="1s", **INSIDE),
        SlowAnswer(kind="slow_answer", over="1s", **INSIDE),
        HttpError(kind="http_error", **INSIDE),
        RateLimited(kind="rate_limited", **INSIDE),
        CorruptedAnswer(kind="corrupted_answer", **INSIDE),
        BlackHole(kind="black_hole", **INSIDE),
    ],
    ids=lambda one: one.kind,
)
def test_what_an_app_could_do_itself_can_be_inside(one: ExchangeFault) -> None:
    assert cannot_be_inside(one) is None


def test_the_same_fault_elsewhere_is_nobodys_mistake() -> None:
    assert cannot_be_inside(ConnectionReset(kind="connection_reset", share=0.2, place="model")) is None
    assert cannot_be_inside(Nulls(kind="nulls", features=("a",), share=0.2)) is None


def test_times_add_up_and_the_first_alteration_stands() -> None:
    found = combined(
        {
            "a": ExchangeEffect(delay_s=1.0),
            "b": ExchangeEffect(answer=Answer(503, b"")),
            "c": ExchangeEffect(cut=Cut.SILENCE),
            "d": ExchangeEffect(delay_s=2.0, download_s=3.0),
        }
    )
    assert found == (ExchangeEffect(delay_s=3.0, download_s=3.0, answer=Answer(503, b"")), ("a", "b", "d"))


def test_what_is_not_passed_on_has_no_upload_and_what_is_cut_no_download() -> None:
    slow = {"up": ExchangeEffect(upload_s=1.0), "down": ExchangeEffect(download_s=1.0)}
    assert combined({**slow, "b": ExchangeEffect(cut=Cut.RESET)}) == (ExchangeEffect(cut=Cut.RESET), ("b",))
    answered = ExchangeEffect(answer=Answer(503, b""))
    assert combined({**slow, "b": answered}) == (replace(answered, download_s=1.0), ("down", "b"))


def test_what_ends_an_exchange_ends_it_for_all_behind() -> None:
    reset, error = ConnectionReset(kind="connection_reset", share=1), HttpError(kind="http_error", share=1)
    held = Latency(kind="latency", delay="1s", share=1)
    drip, upload = (
        SlowAnswer(kind="slow_answer", over="1s", share=1),
        SlowUpload(kind="slow_upload", over="1s", share=1),
    )
    behind = held.model_copy(update={"place": Place.DEPENDENCY})
    before = held.model_copy(update={"place": Place.EDGE})
    assert [ends_before(reset, one) for one in (held, behind, before, drip, upload)] == [False, True, False, True, True]
    assert [ends_before(error, one) for one in (held, behind, before, drip, upload)] == [
        False,
        True,
        False,
        False,
        True,
    ]
    assert not ends_before(held, behind)
    assert not ends_before(Nulls(kind="nulls", features=("a",), share=0.2), held)


def test_effects_without_a_dose_do_nothing() -> None:
    assert combined({}) is None
    assert combined({"a": ExchangeEffect()}) is None
