from collections.abc import Callable

import orjson
import pytest
from tests.unit.protocols.test_cloud_events import REQUEST, RESPONSE, binary, structured

from alertdrill.drift.cells import Cells
from alertdrill.drift.e_detector import EDetector
from alertdrill.monitor import mirror as mirror_module
from alertdrill.monitor.account import Account
from alertdrill.monitor.mirror import Mirror
from alertdrill.protocols.cloud_events import BadEvent

Values = dict[tuple[str, ...], float]
Parse = Callable[[bytes], Values]
LABELS = {"model": "fraud", "version": "1"}
ROW = b'{"id": "1", "amount": 50.0, "country": "DE"}'


class Kserve:
    """Posts as a payload logger does, to a mirror whose time stands still until it is moved."""

    def __init__(self, cells: dict[str, Cells], detector: EDetector) -> None:
        self.now = 0.0
        self.mirror = Mirror(LABELS, join_s=30.0, clock=lambda: self.now)
        self.account = Account(LABELS, cells, ("id",), detector, 0.0, takers=[self.mirror])
        self.mirror.note_in(self.account)

    def request(self, name: str, body: bytes = ROW, at: bytes | None = b"2026-11-22T20:46:15.000Z") -> None:
        self.mirror.post(binary(id=name.encode(), time=at), body)

    def response(
        self, name: str, body: bytes = b'{"score": 0.5}', at: bytes | None = b"2026-11-22T20:46:15.250Z"
    ) -> None:
        self.mirror.post(binary(id=name.encode(), type=RESPONSE.encode(), time=at), body)


@pytest.fixture
def kserve(cells: dict[str, Cells], detector: EDetector) -> Kserve:
    return Kserve(cells, detector)


def seen_of(kserve: Kserve, values: Parse) -> Values:
    kserve.account.update(1.0)
    return values(kserve.account.scrape())


def test_two_events_with_one_id_are_one_exchange_in_either_order(kserve: Kserve, values: Parse) -> None:
    kserve.request("a")
    kserve.response("b")
    assert seen_of(kserve, values)["model_mirror_pending",] == 2
    kserve.response("a")
    kserve.request("b")
    seen = seen_of(kserve, values)
    assert seen["model_requests_total", "200"] == seen["model_predictions_total",] == 2
    assert seen["model_request_duration_seconds_sum",] == pytest.approx(0.5)
    assert seen["model_feature_values_total", "country", "DE"] == 2
    assert seen["model_mirror_pending",] == 0


def test_a_request_without_an_answer_is_a_row_with_an_unknown_end(kserve: Kserve, values: Parse) -> None:
    kserve.request("a")
    kserve.now = 29.0
    assert seen_of(kserve, values)["model_requests_total", "200"] == 0
    kserve.now = 30.0
    seen = seen_of(kserve, values)
    assert seen["model_requests_total", "unknown"] == 1
    assert seen["model_feature_values_total", "country", "DE"] == 1
    assert seen["model_mirror_unjoined_total", "request"] == 1
    assert seen["model_request_duration_seconds_count",] == seen["model_predictions_total",] == 0


def test_an_answer_without_a_request_is_a_prediction_on_an_unseen_row(kserve: Kserve, values: Parse) -> None:
    kserve.response("a")
    kserve.now = 31.0
    seen = seen_of(kserve, values)
    assert seen["model_predictions_total",] == seen["model_mirror_unjoined_total", "response"] == 1
    assert sum(n for name, n in seen.items() if name[0] == "model_malformed_requests_total") == 0


def test_an_id_used_twice_gives_up_the_first(kserve: Kserve, values: Parse) -> None:
    kserve.request("a")
    kserve.request("a")
    kserve.response("a")
    seen = seen_of(kserve, values)
    assert (seen["model_requests_total", "unknown"], seen["model_requests_total", "200"]) == (1, 1)


def test_data_that_is_nested_too_deep_is_malformed_and_costs_no_other_exchange(kserve: Kserve, values: Parse) -> None:
    headers = {b"content-type": b"application/cloudevents-batch+json"}
    halves = [structured(id=name, type=kind, data=name) for name in ("deep", "flat") for kind in (REQUEST, RESPONSE)]
    deep, flat = b"[" * 300 + b"]" * 300, ROW
    kserve.mirror.post(
        headers,
        orjson.dumps(halves).replace(b'"data":"deep"', b'"data":' + deep).replace(b'"data":"flat"', b'"data":' + flat),
    )
    seen = seen_of(kserve, values)
    assert seen["model_requests_total", "200"] == 2
    assert seen["model_malformed_requests_total", "bad_json"] == 1
    assert seen["model_feature_values_total", "country", "DE"] == 1
    assert seen["model_monitor_errors_total",] == 0


@pytest.mark.parametrize("at", [None, b"2026-11-22T20:46:14.000Z", b"2027-11-22T20:46:14.000Z", b"never"])
def test_a_clock_that_jumps_costs_the_latency_alone(kserve: Kserve, values: Parse, at: bytes | None) -> None:
    kserve.request("a")
    kserve.response("a", at=at)
    seen = seen_of(kserve, values)
    assert seen["model_requests_total", "200"] == 1
    assert seen["model_request_duration_seconds_count",] == 0


def test_what_waits_is_bounded(kserve: Kserve, values: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_module, "MOST_PENDING", 10)
    monkeypatch.setattr(mirror_module, "MOST_PENDING_BYTES", 1_000)
    for n in range(25):
        kserve.request(f"r{n}")
    assert seen_of(kserve, values)["model_mirror_pending",] == 10
    kserve.request("long", b" " * 990)
    seen = seen_of(kserve, values)
    assert seen["model_mirror_pending",] == 1
    assert seen["model_mirror_unjoined_total", "request"] == 25


def test_events_are_counted_by_kind(kserve: Kserve, values: Parse) -> None:
    kserve.request("a")
    kserve.mirror.post(binary(type=b"org.example.else"), b"{}")
    with pytest.raises(BadEvent):
        kserve.mirror.post({}, b"{}")
    seen = seen_of(kserve, values)
    assert {name[1]: n for name, n in seen.items() if name[0] == "model_mirror_events_total"} == {
        "request": 1, "response": 0, "other": 1, "bad": 1,
    }  # fmt: skip


def test_what_waits_at_the_end_is_counted(kserve: Kserve, values: Parse) -> None:
    kserve.request("a")
    kserve.account.close()
    assert values(kserve.account.scrape())["model_requests_total", "unknown"] == 1
