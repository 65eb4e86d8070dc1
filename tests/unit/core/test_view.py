"""Which faults an alert can see, by where its series are measured."""

import pytest
from drill import BASELINE, expect, group, nulls_phase, outcome, read, rule
from planned import planned
from viewed import P95, RULES, latency, silent

from alertdrill.core.explanation import explain
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.hopeless import out_of_view
from alertdrill.core.result import View
from alertdrill.core.scope import RuleBook
from alertdrill.core.view import Sight, looks_for_absence, sight, view_of, views_of

BOOK = RuleBook.of([RULES])


def views(name: str, monitor: bool = True, *series: dict[str, str]) -> frozenset[View] | None:
    return views_of(BOOK, BOOK.named(name)[0], monitor, series)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("EdgeSlow", {View.EDGE}),
        ("ServerSlow", {View.SERVER}),
        ("Nulls", {View.DATA}),
        ("Accuracy", {View.LABELS}),
        ("Mixed", None),
        ("Down", None),
    ],
)
def test_an_alert_sees_from_where_its_series_are_measured_through_chains(name: str, seen: set[View] | None) -> None:
    assert views(name) == seen


def test_what_a_monitor_elsewhere_counts_has_no_known_place() -> None:
    assert views("EdgeSlow", False) is None
    assert views("ServerSlow", False) == {View.SERVER}


def test_the_job_of_a_series_that_was_scraped_says_where_it_was_measured() -> None:
    bare = group(rule("Slow", P95.format("http_request_duration_seconds_bucket")))
    book = RuleBook.of([bare])
    one = {"__name__": "http_request_duration_seconds_bucket", "job": "model", "le": "1"}
    assert views_of(book, book.alerts[0], True) is None
    assert views_of(book, book.alerts[0], True, [one]) == {View.SERVER}
    assert views_of(book, book.alerts[0], True, [one, one | {"job": "gateway"}]) is None


@pytest.mark.parametrize("name", ["up", "scrape_duration_seconds", "model_monitor_errors_total", "model_process_up"])
def test_what_prometheus_and_the_monitor_say_of_themselves_has_no_place_on_the_wire(name: str) -> None:
    assert view_of({"__name__": name, "job": "model"}, True) is None


def test_a_server_that_names_its_series_after_models_too_is_known_by_its_job() -> None:
    one = {"__name__": "model_infer_request_duration_sum", "job": "model"}  # of MLServer
    assert [view_of(one, monitor) for monitor in (True, False)] == [View.SERVER, View.SERVER]
    assert view_of(one | {"job": "other"}, True) is None


@pytest.mark.parametrize(
    ("fault", "place", "blind"),
    [
        ("latency", "edge", {View.EDGE, View.SERVER, View.DATA, View.LABELS}),
        ("latency", "model", {View.SERVER, View.DATA, View.LABELS}),
        ("latency", "dependency", {View.DATA, View.LABELS}),
        ("latency", "inside", {View.DATA, View.LABELS}),
        ("truncated_answer", "model", {View.SERVER, View.DATA}),
        ("corrupted_answer", "edge", {View.EDGE, View.SERVER, View.DATA}),
        ("slow_upload", "edge", set()),
    ],
)
def test_what_happens_behind_a_place_of_measurement_is_seen_there_and_nothing_before(
    fault: str, place: str, blind: set[View]
) -> None:
    values: dict[str, object] = {"kind": fault, "share": 0.5, "place": place}
    values |= {"latency": {"delay": "1s"}, "slow_upload": {"over": "1s"}}.get(fault, {})
    one = KINDS[fault].model_validate(values)
    assert {view for view in View if sight([view], one, False) is Sight.NOTHING} == blind


def test_what_comes_slowly_to_the_monitor_nobody_behind_it_can_see_as_it_passes_whole_requests_on() -> None:
    values = {"kind": "slow_upload", "share": 0.5, "over": "1s"}
    edge, model = (KINDS["slow_upload"].model_validate({**values, "place": place}) for place in ("edge", "model"))
    assert {sight([view], edge, True) for view in View} == {Sight.NOTHING}
    assert sight([View.SERVER], model, True) is Sight.FAULT


def test_of_requests_that_are_not_passed_on_only_the_absence_can_be_seen_behind() -> None:
    one = KINDS["http_error"].model_validate({"kind": "http_error", "share": 0.5, "place": "model"})
    assert [sight([view], one, True) for view in (View.EDGE, View.SERVER)] == [Sight.FAULT, Sight.ABSENCE]
    assert sight([View.SERVER, View.EDGE], one, True) is Sight.FAULT


def test_broken_values_can_show_anywhere() -> None:
    one = KINDS["nulls"].model_validate({"kind": "nulls", "share": 0.5, "features": ["amount"]})
    assert all(sight([view], one, True) is Sight.FAULT for view in View)


@pytest.mark.parametrize(
    ("expression", "does"),
    [
        ("a > 1", False),
        ("histogram_quantile(0.9, rate(a[1m])) >= 0.1", False),
        ("a < 1", True),
        ("absent(a)", True),
        ("absent_over_time(a[5m]) or b > 1", True),
        ("(a unless b) > 0", True),
        ("not promql (", True),
        ("time() - model_last_prediction_seconds > 60", True),
        ("time() - timestamp(model_predictions_total) > 60", True),
    ],
)
def test_an_alert_on_what_is_missing_is_told_by_its_expression(expression: str, does: bool) -> None:
    assert looks_for_absence(expression) is does


# The verdict


def test_silence_about_a_fault_that_cannot_be_seen_from_there_is_out_of_view_and_fails() -> None:
    drill = silent("ServerSlow", latency("model"))
    result, one = drill.judge(), drill.expectation()
    assert outcome(one) == ("out_of_view", "out_of_view")
    assert one.reason is not None
    assert "measured by the model's own server; latency acts at place model" in one.reason.text
    assert (one.views, result.verdict) == (("server",), "failed")
    (said,) = [line.text for line in explain(result)[0].lines if line.about == "view"]
    assert said == "all that it reads is measured by the model's own server"


def test_silence_about_a_fault_that_can_be_seen_from_there_is_missed() -> None:
    assert outcome(silent("EdgeSlow", latency("model")).expectation())[0] == "missed"
    assert outcome(silent("ServerSlow", latency("inside")).expectation())[0] == "missed"


def test_an_alert_that_fires_all_the_same_is_detected() -> None:
    drill = silent("ServerSlow", latency("model"))
    pending = drill.evaluation(drill.start_ms() + 1200)
    drill.fire(pending, pending, drill.evaluation(drill.last_ms() + 4000), "ServerSlow", team="ml")
    assert outcome(drill.expectation()) == ("detected", None)


def test_errors_that_the_server_never_hears_of_are_out_of_the_view_of_its_counters() -> None:
    fault: dict[str, object] = {"kind": "http_error", "share": "50%", "place": "model"}
    one = silent("ServerErrors", fault).expectation()
    assert outcome(one) == ("out_of_view", "out_of_view")
    assert one.reason is not None
    assert "only the absence of these requests shows" in one.reason.text
    assert outcome(silent("ServerQuiet", fault).expectation())[0] == "missed"


# Before the drill


def test_an_alert_that_can_see_nothing_of_its_fault_is_refused_before_anything_is_broken() -> None:
    def refused(alert: str, fault: dict[str, object]) -> list[tuple[object, ...]]:
        scenario = read(BASELINE, nulls_phase(faults=[fault], expect=[expect(alert, labels={})]))
        found = out_of_view(planned(scenario, RULES).prospects, BOOK, True)
        return [one.path for one in found]

    assert refused("ServerSlow", latency("model")) == [("nulls", "expect", 0, "alert")]
    assert refused("EdgeSlow", latency("edge")) == [("nulls", "expect", 0, "alert")]
    assert refused("EdgeSlow", latency("model")) == []
    assert refused("ServerSlow", latency("model", share=0)) == []
    assert refused("ServerErrors", {"kind": "http_error", "share": "50%", "place": "model"}) == []
