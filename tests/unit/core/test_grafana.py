"""Grafana's GRAFANA_ALERTS, as its documentation and source (state history, backend prometheus) state the contract."""

import pytest
from drill import BASELINE, EVALUATION_MS, RULES, SCRAPE_MS, Drill, expect, nulls_phase, outcome
from managed import MANAGED, fires, grafanas, written

from alertdrill.core import journal as records
from alertdrill.core.crossing import previous_evaluation
from alertdrill.core.grafana import LATE_S, alert_state, as_alerts, unknowing
from alertdrill.core.observations import RuleGroup, RuleInfo


@pytest.mark.parametrize(
    ("grafana", "state"),
    [("alerting", "firing"), ("recovering", "firing"), ("pending", "pending"), ("nodata", None), ("error", None)],
)
def test_recorded_contract_the_state_is_grafana_s_own_not_what_alertstate_says(grafana: str, state: str | None) -> None:
    assert alert_state(grafana) == state
    found = as_alerts([written("firing", grafana, 1000)])
    assert [(one.labels["__name__"], one.labels["alertstate"]) for one in found] == (
        [("ALERTS", state)] if state else []
    )
    assert all("grafana_alertstate" not in one.labels for one in found)


def test_recorded_contract_the_first_state_that_says_nothing_in_a_window_is_told() -> None:
    series = [written("firing", "nodata", 3000), written("firing", "error", 2000), written("firing", "alerting", 1000)]
    assert unknowing(series, 0, 5000) == "error"
    assert unknowing(series, 2000, 5000) == "nodata"
    assert unknowing(series, 3000, 5000) is None


def test_recorded_contract_an_alert_of_grafana_s_is_detected_from_its_metric() -> None:
    drill = fires(grafanas())
    one = drill.expectation()
    assert outcome(one) == ("detected", None)
    assert one.firing_at == drill.case().episodes[0].firing_at / 1000
    assert one.ttd_error_s == 0.501
    assert round(sum(hop.seconds for hop in one.waterfall), 3) == one.ttd_s
    assert [hop.hop for hop in one.waterfall] == ["served", "pending", "firing"], "which scrape it saw is not known"
    assert {hop.error_s for hop in one.waterfall if hop.hop != "served"} == {0.501, 0.5}
    assert one.worst_s is None


def test_recorded_contract_nodata_and_error_are_no_alert_and_leave_the_verdict_open() -> None:
    assert outcome(fires(grafanas(), grafana="nodata").expectation()) == ("inconclusive", "rule_no_data")
    assert outcome(fires(grafanas(), grafana="error").expectation()) == ("inconclusive", "rule_error")


@pytest.mark.parametrize(("health", "code"), [("nodata", "rule_no_data"), ("err", "rule_error")])
def test_recorded_contract_a_rule_that_says_so_of_itself_leaves_it_open_too(health: str, code: str) -> None:
    drill = grafanas()
    (rule,) = MANAGED.rules
    sick = RuleGroup("folder", "drill", 1.0, None, (RuleInfo(**{**rule.__dict__, "health": health}),), "grafana", 1.0)
    drill.add(records.Rules(at=drill.start_ms() / 1000 + 3, groups=(sick,)))
    assert outcome(drill.expectation()) == ("inconclusive", code)


def test_recorded_contract_silence_of_a_healthy_rule_is_a_miss() -> None:
    assert outcome(grafanas().expectation()) == ("missed", "never_pending")


def test_recorded_contract_samples_of_alerts_under_the_same_name_are_not_grafana_s() -> None:
    assert outcome(grafanas().detect().expectation()) == ("missed", "never_pending")


@pytest.mark.parametrize("after_ms", [7000, 8000])
def test_recorded_contract_fired_too_near_the_deadline_for_grafana_s_instants(after_ms: int) -> None:
    assert outcome(fires(grafanas(LATE_S), after_ms).expectation()) == ("inconclusive", "instant_doubt")


def test_without_a_record_of_how_exact_instants_are_nobody_knows() -> None:
    one = fires(grafanas().drop(records.Instants)).expectation()
    assert outcome(one) == ("inconclusive", "instant_doubt")
    assert one.ttd_error_s is None


def test_what_a_rule_reads_must_be_known_for_its_silence_to_say_something() -> None:
    drill = grafanas()
    (rule,) = MANAGED.rules
    sql = RuleInfo(**{**rule.__dict__, "query": "SELECT 1 FROM t"})
    changed = RuleGroup("folder", "drill", 1.0, None, (sql,), "grafana", 1.0)
    drill.change(records.Rules, groups=(changed,))
    assert outcome(drill.expectation()) == ("inconclusive", "series_not_recorded")


def test_a_lag_of_the_engine_makes_the_tail_longer() -> None:
    assert grafanas().case().tail_ms == 5000 + 2000 + 1000 + 1000 + 1000
    assert Drill().case().tail_ms == 5000 + 2000 + 1000 + 1000
    assert RULES.lag_s == 0.0


def test_recorded_contract_resolved_too_near_its_deadline_for_grafana_s_instants() -> None:
    def drill(within: str, error_s: float) -> Drill:
        return fires(grafanas(error_s, BASELINE, nulls_phase(expect=[expect(resolves_within=within)])))

    assert outcome(drill("5s", 0.5).expectation()) == ("detected", None)
    assert outcome(drill("5s", 3.0).expectation()) == ("inconclusive", "instant_doubt")


def test_what_another_engine_shows_as_query_is_not_asked_for_as_if_it_were_the_condition() -> None:
    case = grafanas().case()
    (rule,) = case.book.named("NullsHigh")
    assert case.book.inlined(rule) is None
    usual = Drill().case()
    assert usual.book.inlined(usual.book.named("NullsHigh")[0]) is not None


def test_evaluations_of_another_engine_are_those_that_it_states_alone() -> None:
    """What vmalert records bears instants that are cut to whole seconds."""
    drill = fires(grafanas())
    drill.record({"__name__": "ALERTS", "alertname": "NullsHigh"}, range(drill.from_ms, drill.to_ms, 1000))
    case = drill.case()
    (rule,) = case.book.named("NullsHigh")
    assert {int(at) % 1000 for at in case.evaluations_ms(rule)} == {EVALUATION_MS} != {SCRAPE_MS}
    (episode,) = case.episodes
    assert previous_evaluation(case, rule, episode) == episode.pending_at - 1000
