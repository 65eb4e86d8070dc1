import json

import pytest
from drill import Drill

from alertdrill.core.result import EXIT_CODES, Code, DrillVerdict, ProhibitionVerdict, Result, Verdict


def words(text: str) -> list[str]:
    return text.split()


NAMED_IN_THE_DESIGN = [
    "rule_not_loaded",
    "rule_unhealthy",
    "rule_error",
    "already_firing",
    "carry_over",
    "nothing_touched",
    "fault_not_delivered",
    "load_under_rate",
    "scrape_gap",
    "evaluation_gap",
    "engine_restarted",
    "query_failed",
    "clock_doubt",
    "settle_timeout",
    "crossed_before_served",
    "series_not_recorded",
    "never_pending",
    "never_firing",
    "labels_differ",
    "too_late",
    "resolved_early",
    "suppressed",
    "wrong_receiver",
    "out_of_view",
]


def test_no_reason_code_was_renamed() -> None:
    assert set(NAMED_IN_THE_DESIGN) <= {code.value for code in Code}


def test_headlines_stand_in_the_order_of_the_design() -> None:
    headlines = "inconclusive out_of_view missed wrong_labels late flapped not_notified not_resolved detected"
    assert [one.value for one in Verdict] == headlines.split()
    assert {one.value for one in ProhibitionVerdict} == {"quiet", "false_alarm", "inconclusive"}


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(DrillVerdict.PASSED, 0), (DrillVerdict.FAILED, 1), (DrillVerdict.INCONCLUSIVE, 3), (DrillVerdict.ABORTED, 4)],
)
def test_every_verdict_has_its_exit_code(verdict: DrillVerdict, code: int) -> None:
    assert EXIT_CODES[verdict] == code


def test_the_published_keys_are_there() -> None:
    document = json.loads(Drill().detect().judge().to_json())
    top = [
        "schema",
        "run_id",
        "scenario",
        "verdict",
        "mode",
        "started_at",
        "ended_at",
        "expectations",
        "prohibitions",
        "also_fired",
        "false_alarms",
        "background",
        "faults",
        "load",
        "environment",
    ]
    assert set(top) <= set(document)
    assert document["schema"] == "alertdrill/result/v1"
    one = [
        "id",
        "phase",
        "fault",
        "alert",
        "labels",
        "verdict",
        "reason",
        "fault_start",
        "fault_start_source",
        "pending_at",
        "firing_at",
        "resolved_at",
        "notified_at",
        "detection",
        "resolution",
        "notification",
        "full_dose_at",
        "ttd_s",
        "notify_s",
        "ttn_s",
        "within_s",
        "notifies_within_s",
        "resolves_within_s",
        "floor_s",
        "expected_s",
        "worst_s",
        "waterfall",
        "carry_over",
        "evidence",
    ]
    assert set(one) <= set(document["expectations"][0])
    fault = ["id", "phase", "kind", "unit", "share", "requests", "touched", "share_seen", "first_at", "last_at"]
    assert set(fault) <= set(document["faults"][0])
    assert {"hop", "seconds", "floor_s", "setting"} <= set(document["expectations"][0]["waterfall"][0])


def test_canonical_json_reads_back_to_the_same_bytes() -> None:
    text = Drill().detect().judge().to_json()
    assert Result.model_validate_json(text).to_json() == text
    assert text.endswith(b"}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))
