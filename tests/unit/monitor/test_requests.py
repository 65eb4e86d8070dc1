from collections.abc import Callable

from alertdrill.monitor.notes import UNKNOWN_CODE, Failure, Note
from alertdrill.monitor.requests import CODES, RequestCounters
from alertdrill.protocols.malformed import Malformed

Parse = Callable[[str], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}


def test_every_code_and_reason_exists_before_the_first_request(values: Parse) -> None:
    seen = values("".join(RequestCounters(LABELS).render()))
    assert all(seen["model_requests_total", str(code)] == 0 for code in CODES)
    assert all(seen["model_malformed_requests_total", reason.value] == 0 for reason in Malformed)
    assert seen["model_predictions_total",] == 0
    assert seen["model_request_duration_seconds_bucket", "0.25"] == 0


def test_durations_are_cumulative_and_an_edge_belongs_to_its_bucket(values: Parse) -> None:
    counters = RequestCounters(LABELS)
    counters.take([Note(200, duration_s, True, b"") for duration_s in (0.25, 0.2501, 99.0)])
    seen = values("".join(counters.render()))
    buckets = {le: seen["model_request_duration_seconds_bucket", le] for le in ("0.2", "0.25", "0.3", "10.0", "+Inf")}
    assert buckets == {"0.2": 0, "0.25": 1, "0.3": 2, "10.0": 2, "+Inf": 3}
    assert seen["model_request_duration_seconds_count",] == 3
    assert seen["model_request_duration_seconds_sum",] == 0.25 + 0.2501 + 99.0


def test_a_code_that_was_not_foreseen_gets_a_series(values: Parse) -> None:
    counters = RequestCounters(LABELS)
    counters.take([Note(418, 0.1, True, b"")])
    assert values("".join(counters.render()))["model_requests_total", "418"] == 1


def test_an_answer_that_was_not_seen_has_no_code_and_no_duration(values: Parse) -> None:
    counters = RequestCounters(LABELS)
    counters.take([Note(UNKNOWN_CODE, None, False, b"")])
    seen = values("".join(counters.render()))
    assert seen["model_requests_total", "unknown"] == 1
    assert seen["model_request_duration_seconds_count",] == 0


def test_every_kind_of_failure_exists_and_is_counted(values: Parse) -> None:
    counters = RequestCounters(LABELS)
    counters.take([Note(504, 0.1, False, b"", failure=Failure.TIMEOUT)])
    seen = values("".join(counters.render()))
    assert {kind.value: seen["model_request_failures_total", kind.value] for kind in Failure} == {
        **dict.fromkeys([kind.value for kind in Failure], 0), "timeout": 1,
    }  # fmt: skip
