from typing import Any

import pytest
from drill import Drill, expect, nulls_phase
from told import MANAGED, Told

from alertdrill.core import journal as records
from alertdrill.core.repeat import BrokenRun, ExpectationSummary, Header, RepeatResult, seed_of, summarise
from alertdrill.core.result import DrillVerdict, Result

HALF = {"probability": "50%"}


def drill(**changes: Any) -> Drill:
    return Drill(nulls_phase(expect=[expect(**changes)]))


def detected(**changes: Any) -> Result:
    return drill(**changes).detect().judge()


def missed(**changes: Any) -> Result:
    return drill(**changes).judge()


def unsure(**changes: Any) -> Result:
    return drill(**changes).detect().drop(records.Clock).judge()


def together(*results: Result, broken: int = 0, interrupted: bool = False, fails: bool = True) -> RepeatResult:
    lost = tuple(BrokenRun(number=n + 1, seed=n, what="a process died") for n in range(broken))
    header = Header(
        repeat_id="repeat-1", scenario="drill", asked=len(results) + broken, interrupted=interrupted, broken=lost,
        false_alarms_fail=fails,
    )  # fmt: skip
    return summarise(header, list(enumerate(results)))


def only(found: RepeatResult) -> ExpectationSummary:
    (one,) = found.expectations
    return one


def test_the_first_run_has_the_scenarios_seed_and_each_other_one_its_own() -> None:
    seeds = [seed_of(7, number) for number in range(1, 200)]
    assert seeds[0] == 7
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_of(7, 3) == seeds[2] != seed_of(8, 3)


def test_drills_that_all_pass_pass_together() -> None:
    found = together(detected(), detected())
    assert found.verdict is DrillVerdict.PASSED
    estimate = only(found).estimate
    assert (estimate.detected, estimate.runs, estimate.share, estimate.wilson_high) == (2, 2, 1.0, 1.0)
    assert estimate.at_least == pytest.approx(0.05**0.5, abs=1e-6)
    assert only(found).gate is None


def test_without_a_probability_one_miss_fails_all() -> None:
    found = together(detected(), missed(), detected())
    assert found.verdict is DrillVerdict.FAILED
    assert only(found).verdicts == {"detected": 2, "missed": 1}
    assert only(found).reasons == {"never_pending": 1}


def test_a_run_that_cannot_tell_is_neither_a_miss_nor_a_detection() -> None:
    found = together(detected(), unsure(), unsure())
    assert (only(found).estimate.detected, only(found).estimate.runs) == (1, 1)
    assert [run.could_not_tell for run in found.runs] == [(), *[("nulls/NullsHigh: clock_doubt",)] * 2]
    assert found.verdict is DrillVerdict.INCONCLUSIVE


def test_runs_that_cannot_tell_leave_a_probability_to_the_others() -> None:
    several = [detected(**HALF)] * 5
    assert together(*several).verdict is DrillVerdict.PASSED
    assert together(*several, unsure(**HALF), broken=1).verdict is DrillVerdict.PASSED
    assert together(unsure(**HALF)).verdict is DrillVerdict.INCONCLUSIVE


def test_a_probability_is_judged_by_its_bound_and_says_what_would_decide_it() -> None:
    few = together(*[detected(**HALF)] * 4)
    assert few.verdict is DrillVerdict.INCONCLUSIVE
    gate = only(few).gate
    assert gate is not None
    assert (gate.verdict, gate.more_if_all_detect) == ("inconclusive", 1)
    assert gate.more_if_none_does is not None
    assert together(*[detected(**HALF)] * 4, *[missed(**HALF)] * gate.more_if_none_does).verdict is DrillVerdict.FAILED
    assert together(*[detected(**HALF)] * 7, missed(**HALF)).verdict is DrillVerdict.PASSED


def test_a_run_whose_alert_told_nobody_is_no_detection_and_is_counted_by_what_became_of_it() -> None:
    def delivered() -> Result:
        return Told(MANAGED, **HALF).posted().accepted().delivered(40).drill.judge()

    def untold() -> Result:
        return Told(MANAGED, **HALF).posted().drill.judge()

    def unsure_of_people() -> Result:
        return Told(MANAGED, **HALF).posted().trouble().drill.judge()

    found = together(*[delivered()] * 7, untold(), unsure_of_people())
    one = only(found)
    assert (one.estimate.detected, one.estimate.runs) == (7, 8)
    assert one.notifies_receiver == "pager"
    assert one.notifications == {"delivered": 7, "inconclusive": 1, "not_accepted": 1}
    assert one.reasons == {"not_accepted": 1, "query_failed": 1}
    assert one.ttd.fired == 8
    assert found.verdict is DrillVerdict.PASSED
    assert together(untold(), untold(), untold(), untold(), untold()).verdict is DrillVerdict.FAILED


def test_an_instant_that_the_engines_own_post_denies_is_no_run_that_could_tell() -> None:
    told = Told(MANAGED, **HALF).posted().accepted().delivered(40)
    told.drill.change(records.Post, starts_at_ms=lambda post: post.starts_at_ms + 5)
    found = together(told.drill.judge())
    assert (only(found).estimate.runs, only(found).ttd.fired) == (0, 0)
    assert [run.could_not_tell for run in found.runs] == [("nulls/NullsHigh: clock_doubt",)]


def test_a_passing_control_is_no_run_that_could_not_tell() -> None:
    zero = [{"kind": "nulls", "features": ["amount"], "share": 0}]
    control = Drill(nulls_phase(faults=zero, expect=[expect(**HALF)])).judge()
    found = together(control, control)
    assert found.verdict is DrillVerdict.PASSED
    assert only(found).gate is None
    assert [run.could_not_tell for run in found.runs] == [(), ()]


def test_a_miss_is_a_time_that_was_cut_off_where_silence_ends_to_be_certain() -> None:
    late = drill(within="3s").detect().judge()
    assert late.expectations[0].verdict == "late"
    fired, silent = late.expectations[0].ttd_s, missed(within="3s").expectations[0].silent_s
    assert silent == 3.0
    times = only(together(late, missed(within="3s"), late)).ttd
    assert (times.fired, times.cut_off, times.least_s, times.largest_s) == (2, 1, fired, fired)
    assert (times.p50_s, times.p95_s) == (fired, fired)
    slow = only(together(late, *[missed()] * 2)).ttd
    assert slow.p50_s is None


def test_an_alert_that_is_not_loaded_is_certain_to_be_silent() -> None:
    one = drill(alert="Nothing").judge().expectations[0]
    assert (one.verdict, one.silent_s, one.ttd_s) == ("missed", 10.0, None)
    assert detected().expectations[0].silent_s is None
    assert unsure().expectations[0].silent_s is None


def test_a_false_alarm_in_any_run_fails_and_rates_are_over_the_time_of_all() -> None:
    noisy = Drill(nulls_phase(expect=[expect(**HALF)]), monitoring={"scope": {"alerts": ["Slow"]}}).detect()
    at = noisy.last_ms() + noisy.case().tail_ms + 2000
    noisy.fire(noisy.evaluation(at), noisy.evaluation(at) + 1000, at + 5000, alert="Slow", job="monitor")
    runs = [noisy.judge(), *[detected(**HALF)] * 5]
    found = together(*runs)
    assert found.verdict is DrillVerdict.FAILED
    assert found.noise.total.episodes == 1
    assert found.noise.fault_free_s == pytest.approx(sum(run.noise.fault_free_s for run in runs if run.noise))
    assert {one.alert: one.rate.episodes for one in found.noise.alerts} == {"NullsHigh": 0, "Slow": 1}
    assert together(*runs, fails=False).verdict is DrillVerdict.PASSED


def test_a_prohibition_needs_one_run_that_watched_it_and_none_with_an_alarm() -> None:
    def of(*disturbed: type[records.Record], alert: str = "Slow") -> Result:
        phase = nulls_phase(expect=[expect(**HALF)], must_not_fire=[{"alert": alert}])
        one = Drill(phase).detect()
        for kind in disturbed:
            one.drop(kind)
        return one.judge()

    unwatched = of(records.SteadyState)
    found = together(*[of()] * 5, unwatched)
    assert found.verdict is DrillVerdict.PASSED
    assert (found.prohibitions[0].quiet, found.prohibitions[0].inconclusive) == (5, 1)
    assert together(*[of(alert="NotLoaded")] * 5).verdict is DrillVerdict.INCONCLUSIVE


def test_an_aborted_run_aborts_all() -> None:
    stopped = drill().detect().add(records.Trouble(at=1.0, kind="stop_condition", what="up == 0")).judge()
    assert together(missed(), stopped).verdict is DrillVerdict.ABORTED


def test_without_a_run_nothing_is_known() -> None:
    found = together(broken=2)
    assert (found.verdict, found.expectations, found.noise.total.per_hour) == (DrillVerdict.INCONCLUSIVE, (), None)


def test_a_run_that_broke_leaves_drills_without_a_probability_undecided() -> None:
    assert together(detected(), broken=1).verdict is DrillVerdict.INCONCLUSIVE


def test_canonical_json_reads_back_to_the_same_bytes() -> None:
    text = together(detected(**HALF), missed(**HALF), broken=1).to_json()
    assert RepeatResult.model_validate_json(text).to_json() == text
