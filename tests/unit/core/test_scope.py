import pytest
from drill import RULES, expect, group, nulls_phase, read, rule

from alertdrill.core.observations import RuleGroup
from alertdrill.core.scope import RuleBook, could_prohibit, expects, in_scope, prohibits, tail_ms

BOOK = RuleBook.of([RULES])


def test_rules_are_sorted_into_alerts_and_recorded_metrics() -> None:
    assert [one.name for one in BOOK.alerts] == ["NullsHigh", "Slow", "Down"]
    assert set(BOOK.recorded) == {"nulls:ratio5s"}
    (alert,) = BOOK.named("NullsHigh")
    assert (alert.for_ms, alert.interval_ms) == (2000, 1000)
    assert alert.labels == {"alertname": "NullsHigh", "severity": "P1"}


def test_inputs_reach_the_scraped_series_behind_a_recorded_metric() -> None:
    names = {one.name for one in BOOK.inputs(BOOK.named("NullsHigh")[0])}
    assert names == {"nulls:ratio5s", "values_total"}


def test_look_back_sums_along_a_chain() -> None:
    chained = group(
        rule("one", "rate(a[5s])", kind="recording"),
        rule("two", "max_over_time(one[1m] offset 10s)", kind="recording"),
        rule("High", "two > 1"),
    )
    book = RuleBook.of([chained])
    assert book.lookback_ms(book.alerts[0]) == 75_000


def test_a_recording_rule_that_reads_itself_ends() -> None:
    book = RuleBook.of([group(rule("a", "a[5s]", kind="recording"), rule("High", "a > 1"))])
    assert book.lookback_ms(book.alerts[0]) == 80_000


def test_the_tail_is_the_longest_of_the_rules_in_scope() -> None:
    scenario = read(nulls_phase())
    assert tail_ms(scenario, BOOK, 1000) == 5000 + 2000 + 1000 + 1000
    odd = RuleGroup("r", "g", 3.0, None, (rule("NullsHigh", "a > 1", 4.0),))
    assert tail_ms(scenario, RuleBook.of([odd]), 1000) == 6000 + 1000 + 3000


def test_rules_that_nobody_asked_for_do_not_lengthen_the_tail() -> None:
    slow = rule("Other", "rate(a[1h]) > 1")
    assert tail_ms(read(nulls_phase()), RuleBook.of([group(*RULES.rules, slow)]), 1000) == 9000


def test_an_expectation_is_met_by_name_and_labels() -> None:
    one = read(nulls_phase()).phases[0].expect[0]
    assert expects(one, {"alertname": "NullsHigh", "feature": "amount", "severity": "P1"})
    assert not expects(one, {"alertname": "NullsHigh", "feature": "hour"})


def test_a_prohibition_by_labels_spares_the_exceptions() -> None:
    (one,) = read(nulls_phase(), must_not_fire=[{"labels": {"severity": "P0"}, "except": ["Down"]}]).must_not_fire
    assert prohibits(one, {"alertname": "Error", "severity": "P0"})
    assert not prohibits(one, {"alertname": "Down", "severity": "P0"})
    assert not prohibits(one, {"alertname": "Error", "severity": "P1"})


def test_a_named_prohibition_may_ask_for_labels_that_only_the_series_have() -> None:
    (one,) = read(nulls_phase(), must_not_fire=[{"alert": "NullsHigh", "labels": {"feature": "hour"}}]).must_not_fire
    assert could_prohibit(one, {"alertname": "NullsHigh", "severity": "P1"})
    assert not could_prohibit(one, {"alertname": "NullsHigh", "feature": "amount"})
    assert not could_prohibit(one, {"alertname": "Slow"})


@pytest.mark.parametrize(
    ("labels", "inside"),
    [
        ({"alertname": "NullsHigh", "feature": "other"}, True),
        ({"alertname": "Error", "severity": "P0"}, True),
        ({"alertname": "Named"}, True),
        ({"alertname": "Team", "team": "fraud"}, True),
        ({"alertname": "Slow", "severity": "P1"}, False),
    ],
)
def test_scope_is_what_is_expected_prohibited_or_named(labels: dict[str, str], inside: bool) -> None:
    scenario = read(
        nulls_phase(expect=[expect()]),
        must_not_fire=[{"labels": {"severity": "P0"}}],
        monitoring={"scope": {"alerts": ["Named"], "labels": {"team": "fraud"}}},
    )
    assert in_scope(scenario, labels) is inside


def test_matchers_ask_for_more_than_exact_values() -> None:
    wanted = expect(labels={}, matchers=['feature=~"am.*"', 'zone!="b"'])
    one = read(nulls_phase(expect=[wanted])).phases[0].expect[0]
    assert expects(one, {"alertname": "NullsHigh", "feature": "amount"})
    assert not expects(one, {"alertname": "NullsHigh", "feature": "amount", "zone": "b"})
    assert not expects(one, {"alertname": "NullsHigh"})


def test_an_empty_label_is_one_that_the_alert_lacks() -> None:
    one = read(nulls_phase(expect=[expect(labels={"feature": ""})])).phases[0].expect[0]
    assert expects(one, {"alertname": "NullsHigh"})
    assert not expects(one, {"alertname": "NullsHigh", "feature": "hour"})


def test_prohibitions_and_scope_have_matchers() -> None:
    scenario = read(
        nulls_phase(),
        must_not_fire=[{"matchers": ['severity=~"P[01]"', 'alertname!~"Nulls.*"']}],
        monitoring={"scope": {"matchers": ['team=~"fraud|risk"']}},
    )
    (one,) = scenario.must_not_fire
    assert prohibits(one, {"alertname": "Slow", "severity": "P1"})
    assert not prohibits(one, {"alertname": "NullsHigh", "severity": "P1"})
    assert not prohibits(one, {"alertname": "Slow", "severity": "P2"})
    assert in_scope(scenario, {"alertname": "Other", "team": "risk"})
    assert not in_scope(scenario, {"alertname": "Other", "team": "sales"})


def test_a_named_prohibition_may_match_labels_that_only_the_series_have() -> None:
    prohibition = {"alert": "NullsHigh", "matchers": ['feature=~"h.*"', 'severity!="P0"']}
    (one,) = read(nulls_phase(), must_not_fire=[prohibition]).must_not_fire
    assert could_prohibit(one, {"alertname": "NullsHigh", "severity": "P1"})
    assert could_prohibit(one, {"alertname": "NullsHigh", "severity": "{{ $labels.severity }}"})
    assert not could_prohibit(one, {"alertname": "NullsHigh", "severity": "P0"})


def test_of_rules_of_one_name_the_one_whose_labels_pass_is_meant() -> None:
    two = group(rule("NullsHigh", "a > 1", severity="P2"), rule("NullsHigh", "a > 2", severity="P1"))
    one = read(nulls_phase(expect=[expect(matchers=['severity=~"P[01]"'])])).phases[0].expect[0]
    meant = RuleBook.of([two]).rule_of(one)
    assert meant is not None
    assert meant.rule.query == "a > 2"
