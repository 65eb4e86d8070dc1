from dataclasses import replace

import pytest
from drill import INPUT, RULES, T0_S, UP, Drill, rule

from alertdrill.core import journal as records
from alertdrill.core.health import Scrapes, doubt, input_targets, scrapes
from alertdrill.core.observations import RuleGroup
from alertdrill.core.result import Reason


def doubt_of(drill: Drill, from_s: float = 20.0, to_s: float = 30.0, name: str = "NullsHigh") -> Reason | None:
    case = drill.case()
    return doubt(case, case.book.named(name)[0], ms(from_s), ms(to_s))


def code(drill: Drill, from_s: float = 20.0, to_s: float = 30.0, name: str = "NullsHigh") -> str | None:
    reason = doubt_of(drill, from_s, to_s, name)
    return reason.code.value if reason else None


def ms(seconds: float) -> int:
    return round((T0_S + seconds) * 1000)


def snapshot(at_s: float, *, error: str = "", drop: bool = False, query: str | None = None) -> records.Rules:
    """RULES as they were at an instant, NullsHigh changed."""
    rules = []
    for one in RULES.rules:
        if one.name == "NullsHigh":
            if drop:
                continue
            one = replace(one, health="err" if error else "ok", last_error=error, query=query or one.query)
        rules.append(one)
    return records.Rules(at=T0_S + at_s, groups=(replace(RULES, rules=tuple(rules)),))


def test_a_rule_that_ran_and_was_fed_leaves_no_doubt() -> None:
    assert code(Drill()) is None


def test_an_error_inside_the_window_is_doubt() -> None:
    assert code(Drill().add(snapshot(25, error="boom"), snapshot(26))) == "rule_error"


def test_an_error_that_began_before_and_lasts_is_doubt() -> None:
    assert code(Drill().add(snapshot(5, error="boom"))) == "rule_error"


def test_an_error_that_was_over_before_or_came_later_is_none() -> None:
    assert code(Drill().add(snapshot(5, error="boom"), snapshot(6), snapshot(31, error="boom"))) is None


def test_a_rule_that_vanished_is_doubt_also_when_it_came_back() -> None:
    assert code(Drill().add(snapshot(25, drop=True))) == "rule_unhealthy"
    assert code(Drill().add(snapshot(25, drop=True), snapshot(26))) == "rule_unhealthy"
    assert code(Drill().add(snapshot(5, drop=True), snapshot(6))) is None


def test_a_rule_that_was_changed_is_doubt() -> None:
    assert code(Drill().add(snapshot(25, query="nulls:ratio5s > 0.9"))) == "rule_unhealthy"


def test_a_silent_engine_is_doubt() -> None:
    trouble = records.Trouble(at=T0_S + 25, kind="engine_gone", what="Prometheus died")
    assert code(Drill().add(trouble)) == "query_failed"
    assert code(Drill().add(trouble), to_s=24) is None


@pytest.mark.parametrize(("lost_s", "expected"), [(0.9, None), (1.9, "evaluation_gap")])
def test_evaluations_may_be_one_and_a_half_intervals_apart(lost_s: float, expected: str | None) -> None:
    drill = Drill().hole(ms(24.5), ms(24.5 + lost_s), "nulls:ratio5s")
    assert code(drill) == expected


@pytest.mark.parametrize("edge_s", [19.0, 29.0])
def test_a_gap_across_an_edge_of_the_window_counts(edge_s: float) -> None:
    assert code(Drill().hole(ms(edge_s), ms(edge_s + 2.5), "nulls:ratio5s")) == "evaluation_gap"


def test_a_window_that_outlasts_the_recording_was_not_evaluated() -> None:
    found = doubt_of(Drill().cut(ms(29)))
    assert found is not None
    assert (found.code, found.text.split(" before")[0]) == ("evaluation_gap", "the recording ends 1.0 s")
    assert "with this rule loaded" in found.decide_it_by
    assert "CPU" not in found.decide_it_by


@pytest.mark.parametrize(("lost_s", "expected"), [(0.9, None), (1.9, "scrape_gap")])
def test_scrapes_may_be_one_and_a_half_intervals_apart(lost_s: float, expected: str | None) -> None:
    assert code(Drill().hole(ms(24.2), ms(24.2 + lost_s), "up")) == expected


def test_a_failed_scrape_is_a_gap() -> None:
    drill = Drill()
    drill.series = [one for one in drill.series if one.labels["__name__"] != "up"]
    times = [ms(s + 0.1) for s in range(40)]
    drill.record(UP, times[:25]).record(UP, times[26:]).record(UP, times[25:26], 0.0)
    assert code(drill) == "scrape_gap"


def test_gaps_of_targets_that_a_rule_does_not_read_are_no_matter() -> None:
    drill = Drill().record(UP | {"instance": "other:1"}, [ms(1)])
    assert code(drill) is None
    drill.record(INPUT | {"instance": "other:1", "job": "other"}, [ms(1)])
    assert code(drill) == "scrape_gap"


POD = {"instance": "m:2"}


def pods(*spans: tuple[dict[str, str], float, float]) -> Drill:
    """A drill whose monitor runs in pods, each scraped from one instant to another (s)."""
    drill = Drill()
    drill.series = [one for one in drill.series if one.labels["__name__"] not in ("up", "values_total")]
    for pod, from_s, to_s in spans:
        times = [ms(s + 0.1) for s in range(45) if from_s <= s < to_s]
        drill.record(UP | pod, times).record(INPUT | pod, times)
    return drill


def test_pods_that_come_and_go_are_no_gap_while_one_of_their_job_is_scraped() -> None:
    drill = pods(({}, 0, 25), (POD, 24, 45), ({"instance": "m:3"}, 22, 27))
    assert code(drill) is None
    case = drill.case()
    assert scrapes(case, case.book.named("NullsHigh")[0], ms(20), ms(30)) == Scrapes(10, 10)


def test_a_time_in_which_no_pod_was_scraped_is_a_gap() -> None:
    drill = pods(({}, 0, 24), (POD, 27, 45))
    assert code(drill) == "scrape_gap"
    assert scrapes(drill.case(), drill.case().book.named("NullsHigh")[0], ms(20), ms(30)) == Scrapes(7, 10)


def test_a_pod_that_stays_and_fails_to_be_scraped_is_a_gap_although_another_is_scraped() -> None:
    drill = pods(({}, 0, 45))
    times = [ms(s + 0.1) for s in range(45)]
    drill.record(INPUT | POD, times).record(UP | POD, times[:23] + times[28:]).record(UP | POD, times[23:28], 0.0)
    assert code(drill) == "scrape_gap"


def test_a_pod_that_fails_before_it_is_gone_is_no_gap() -> None:
    drill = pods(({}, 0, 45), (POD, 0, 23))
    assert code(drill.record(UP | POD, [ms(23.1), ms(24.1)], 0.0)) is None


def every_15_s(drill: Drill, scrape_s: float | None) -> Drill:
    """Its monitor is scraped only every 15 s, which the rule is told or not."""
    drill.series = [one for one in drill.series if one.labels["__name__"] not in ("up", "values_total")]
    times = [ms(s) for s in (0.1, 15.1, 30.1, 45.1)]
    drill.record(UP, times).record(INPUT, times)
    told = tuple(replace(one, scrape_s=scrape_s) for one in RULES.rules)
    drill.journal = [
        records.Rules(at=T0_S, groups=(replace(RULES, rules=told),)) if isinstance(one, records.Rules) else one
        for one in drill.journal
    ]
    return drill


@pytest.mark.parametrize(("scrape_s", "expected"), [(None, "scrape_gap"), (15.0, None)])
def test_gaps_are_measured_by_what_the_rule_s_own_targets_are_scraped_at(
    scrape_s: float | None, expected: str | None
) -> None:
    drill = every_15_s(Drill(), scrape_s)
    assert code(drill) == expected
    if scrape_s:
        case = drill.case()
        assert scrapes(case, case.book.named("NullsHigh")[0], ms(14), ms(44)) == Scrapes(2, 2)
        assert case.tail_ms == Drill().case().tail_ms + 14_000


def test_the_targets_of_a_rule_are_found_behind_recorded_metrics() -> None:
    case = Drill().case()
    assert input_targets(case, case.book.named("NullsHigh")[0]) == (("monitor", "m:1"),)
    assert input_targets(case, case.book.named("Slow")[0]) == ()


def test_scrapes_are_counted_for_the_worst_job() -> None:
    drill = Drill()
    case = drill.case()
    assert scrapes(case, case.book.named("NullsHigh")[0], ms(20), ms(30)) == Scrapes(10, 10)
    other = {"instance": "b:1", "job": "b"}
    drill.record(INPUT | other, [ms(1)]).record(UP | other, [ms(21.1), ms(22.1)])
    assert scrapes(drill.case(), case.book.named("NullsHigh")[0], ms(20), ms(30)) == Scrapes(2, 10)


def test_rules_of_one_name_in_other_groups_do_not_stand_in_for_each_other() -> None:
    other = RuleGroup("rules.yml", "other", 1.0, None, (rule("NullsHigh", "nulls:ratio5s > 0.05", 2.0, severity="P1"),))
    assert code(Drill().add(records.Rules(at=T0_S + 25, groups=(other,)))) == "rule_unhealthy"
