from dataclasses import replace

import pytest
from drill import INPUT, RULES, T0_S, UP, Drill, rule

from alertdrill.core import journal as records
from alertdrill.core.health import Scrapes, doubt, input_targets, scrapes
from alertdrill.core.observations import RuleGroup


def code(drill: Drill, from_s: float = 20.0, to_s: float = 30.0, name: str = "NullsHigh") -> str | None:
    case = drill.case()
    reason = doubt(case, case.book.named(name)[0], ms(from_s), ms(to_s))
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
    assert code(Drill().cut(ms(29))) == "evaluation_gap"


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
    drill.record(INPUT | {"instance": "other:1"}, [ms(1)])
    assert code(drill) == "scrape_gap"


def test_the_targets_of_a_rule_are_found_behind_recorded_metrics() -> None:
    case = Drill().case()
    assert input_targets(case, case.book.named("NullsHigh")[0]) == (("monitor", "m:1"),)
    assert input_targets(case, case.book.named("Slow")[0]) == ()


def test_scrapes_are_counted_for_the_worst_target() -> None:
    drill = Drill()
    case = drill.case()
    assert scrapes(case, case.book.named("NullsHigh")[0], ms(20), ms(30)) == Scrapes(10, 10)
    drill.record(INPUT | {"instance": "b:1"}, [ms(1)]).record(UP | {"instance": "b:1"}, [ms(21.1), ms(22.1)])
    assert scrapes(drill.case(), case.book.named("NullsHigh")[0], ms(20), ms(30)) == Scrapes(2, 10)


def test_rules_of_one_name_in_other_groups_do_not_stand_in_for_each_other() -> None:
    other = RuleGroup("rules.yml", "other", 1.0, None, (rule("NullsHigh", "nulls:ratio5s > 0.05", 2.0, severity="P1"),))
    assert code(Drill().add(records.Rules(at=T0_S + 25, groups=(other,)))) == "rule_unhealthy"
