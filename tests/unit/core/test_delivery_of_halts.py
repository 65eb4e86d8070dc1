"""Faults on processes: what the journal says of them, and what verdicts make of it."""

import numpy as np
import pytest
from drill import BASELINE, EVALUATION_MS, INTERVAL_MS, SCRAPE_MS, Drill, nulls_phase, outcome
from viewed import RULES

from alertdrill.core import journal as records
from alertdrill.core.health import doubt

UP = {"__name__": "up", "job": "model", "instance": "m:1"}
ERRORS = {"__name__": "http_requests_total", "job": "model", "instance": "m:1", "code": "500"}
NAME = "broken/pause"


def phase(alert: str = "Down", **changes: object) -> dict[str, object]:
    fault = {"kind": "pause"} | changes
    return nulls_phase("broken", faults=[fault], expect=[{"alert": alert, "within": "10s"}])


def paused(alert: str = "Down", *, lasts_s: float = 18.0, down: bool = True, **halted: object) -> Drill:
    """A drill whose target was stopped for a while, 0.4 s after its phase began; `up` is 0 meanwhile if `down`."""
    drill = Drill(BASELINE, phase(alert), rules=RULES).drop(records.Touched).drop(records.Served)
    (k,) = {one.segment for one in drill.plan.injections}
    from_at = drill.case().starts_ms[k] / 1000 + 0.4
    begun = records.Halted(at=from_at, injection=NAME, k=k, pids=(7, 8), from_at=from_at)
    over = begun.model_copy(update={"at": from_at + lasts_s, "until_at": from_at + lasts_s} | halted)
    drill.add(begun.model_copy(update=halted | {"until_at": None}), over)
    scraped = np.arange(drill.from_ms + SCRAPE_MS, drill.to_ms, INTERVAL_MS)
    stopped = (scraped > from_at * 1000) & (scraped < (from_at + lasts_s) * 1000)
    drill.record(UP, scraped, np.where(stopped & down, 0.0, 1.0))
    drill.record(ERRORS, scraped[~stopped])
    drill.record({"__name__": "p95:5s"}, np.arange(drill.from_ms + EVALUATION_MS, drill.to_ms, INTERVAL_MS), 0.01)
    return drill


def fires(drill: Drill, after_ms: int = 1200) -> Drill:
    pending = drill.evaluation(drill.start_ms("broken") + after_ms)
    return drill.fire(pending, pending, drill.evaluation(drill.last_ms("broken") + 200), "Down", job="model")


def test_it_lasts_from_the_first_process_that_was_stopped_to_the_last_look_at_which_all_were() -> None:
    one = paused().case().deliveries[NAME]
    assert (one.halted, one.delivered, one.first_ms) == (2, True, paused().case().starts_ms[3] + 400)
    assert one.last_ms is not None
    assert one.last_ms - (one.first_ms or 0) == 18_000


def test_the_requests_that_were_due_meanwhile_are_touched() -> None:
    one = paused(lasts_s=5.0).case().deliveries[NAME]
    assert (one.touched, one.planned) == (100, 100)
    assert one.requests == 400


def test_a_fault_whose_end_nobody_saw_lasts_as_long_as_its_phase() -> None:
    drill = paused().drop(records.Halted, lambda one: one.until_at is not None)
    one = drill.case().deliveries[NAME]
    assert one.last_ms == drill.case().segment_end_ms(3)


def test_an_alert_on_up_is_detected_before_any_request_was_answered() -> None:
    one = fires(paused()).expectation()
    assert outcome(one) == ("detected", None)
    assert [hop.hop for hop in one.waterfall] == ["crossed", "pending", "firing"]
    assert (one.fault_start, one.resolution) == (paused().start_ms("broken") / 1000, "resolved")


def test_silence_is_a_miss_although_the_fault_itself_kept_the_server_from_being_scraped() -> None:
    assert outcome(paused().expectation()) == ("missed", "never_pending")
    quiet = paused("ServerQuiet").expectation()
    assert outcome(quiet)[0] == "missed"
    assert quiet.reason is not None
    assert "series of the server vanish with it" in quiet.reason.text
    assert "absent()" in (quiet.reason.decide_it_by or "")


def test_scrapes_that_fail_meanwhile_are_no_gap_and_those_that_fail_later_are() -> None:
    drill = paused(lasts_s=5.0)
    up = next(one for one in drill.series if one.labels == UP)
    first, down = drill.start_ms("broken"), drill.case().book.named("Down")[0]
    assert doubt(drill.case(), down, first, first + 12_000) is None
    up.values[(up.times_ms > first + 8000) & (up.times_ms < first + 10_000)] = 0.0
    reason = doubt(drill.case(), down, first, first + 12_000)
    assert reason is not None
    assert reason.code == "scrape_gap"


def test_a_server_that_stands_still_is_out_of_the_view_of_its_own_errors() -> None:
    one = paused("ServerErrors").expectation()
    assert outcome(one) == ("out_of_view", "out_of_view")
    assert one.reason is not None
    assert "pause acts on the processes of the model" in one.reason.text


def test_a_target_that_was_dead_already_was_not_touched() -> None:
    drill = paused(pids=(), from_at=None)
    assert outcome(drill.expectation()) == ("inconclusive", "nothing_touched")


@pytest.mark.parametrize("why", ["127.0.0.1:9 still answered", "something else let the processes go on"])
def test_a_halt_that_was_not_whole_was_not_delivered(why: str) -> None:
    one = fires(paused(why=why)).expectation()
    assert outcome(one) == ("inconclusive", "fault_not_delivered")
    assert one.reason is not None
    assert one.reason.text == why


def test_a_control_leaves_the_target_alone_and_passes() -> None:
    drill = Drill(BASELINE, phase(share=0), rules=RULES).drop(records.Touched).drop(records.Served)
    drill.record(UP, np.arange(drill.from_ms + SCRAPE_MS, drill.to_ms, INTERVAL_MS), 1.0)
    one = drill.expectation()
    assert outcome(one) == ("inconclusive", "nothing_touched")
    assert one.control
    assert drill.judge().verdict == "passed"
