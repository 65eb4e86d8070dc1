import pytest
from drill import BASELINE, expect, group, nulls_phase, read, rule
from planned import KNOWN, TAIL_S, planned

from alertdrill.core.hopeless import hopeless, too_fast, without_effect, wrong_alerts
from alertdrill.core.observations import RuleGroup
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scope import RuleBook

NULLS = {"kind": "nulls", "features": ["amount"], "share": "50%"}


def refused(scenario: Scenario, rules: RuleGroup = KNOWN, background_per_s: float | None = None) -> list[Finding]:
    one = planned(scenario, rules, background_per_s)
    touching = list(without_effect(one.plan.scenario.phases, one.reaches))
    wrong = list(wrong_alerts(one.plan.scenario.phases, RuleBook.of([rules])))
    return touching + wrong + list(hopeless(one.prospects, one.reaches, TAIL_S))


def of(*faults: dict[str, object], alert: str = "NullsHigh", **changes: object) -> list[Finding]:
    """What is refused in a phase with these faults, that expects an alert of the first."""
    fault = faults[0].get("id", faults[0]["kind"])
    wanted = {"alert": alert, "within": "10s", "fault": fault}
    return refused(read(BASELINE, nulls_phase(faults=list(faults), **{"expect": [wanted], **changes})))


def paths(findings: list[Finding]) -> list[tuple[object, ...]]:
    return [tuple(one.path) for one in findings]


def test_what_can_be_met_is_no_finding() -> None:
    assert refused(read(BASELINE, nulls_phase())) == []


def test_an_alert_that_is_not_loaded_cannot_fire() -> None:
    (one,) = refused(read(BASELINE, nulls_phase(expect=[expect("NullHigh")])))
    assert (one.path, one.fix) == (("nulls", "expect", 0, "alert"), "did you mean NullsHigh?")


def test_labels_that_the_rule_contradicts_cannot_be_met() -> None:
    labels = {"feature": "amount", "severity": "P0"}
    (one,) = refused(read(BASELINE, nulls_phase(expect=[expect(labels=labels)])))
    assert (one.path, one.expected) == (("nulls", "expect", 0, "labels", "severity"), "P1, as the rule says")


# Deadlines


def test_a_deadline_below_the_floor_cannot_be_met() -> None:
    (one,) = refused(read(BASELINE, nulls_phase(expect=[expect(within="1s")])))
    assert one.path == ("nulls", "expect", 0, "within")
    assert "always passes" in one.fix
    assert "in 95 of 100 drills" in one.fix


def test_nobody_is_notified_before_the_alert_can_fire() -> None:
    (one,) = refused(read(BASELINE, nulls_phase(expect=[expect(notifies={"within": "1s"})])))
    assert one.path == ("nulls", "expect", 0, "notifies", "within")


def test_a_deadline_that_the_drill_does_not_live_to_see_is_found() -> None:
    """A phase of 20 s and a tail of 9 s; the first request is touched 25 ms after the start."""
    phase = nulls_phase(expect=[expect(within="29s", notifies={"within": "28s"})])
    (one,) = refused(read(BASELINE, phase))
    assert one.path == ("nulls", "expect", 0, "within")
    assert one.fix == "write 28.9s, or duration: 21s for the phase"
    assert refused(read(BASELINE, nulls_phase(duration="21s", expect=[expect(within="29s")]))) == []


def test_so_is_one_to_notify() -> None:
    (one,) = refused(read(BASELINE, nulls_phase(expect=[expect(notifies={"within": "60s"})])))
    assert one.path == ("nulls", "expect", 0, "notifies", "within")


def test_a_late_beginning_leaves_less_time() -> None:
    late = NULLS | {"profile": {"kind": "step", "at": "8s"}}
    wanted = {"alert": "NullsHigh", "within": "20s"}
    assert of(late, expect=[wanted]) == []
    (one,) = of(late, expect=[wanted | {"within": "21s"}])
    assert one.path == ("nulls", "expect", 0, "within")


def test_deadlines_to_resolve_are_drained_and_never_too_long() -> None:
    assert refused(read(BASELINE, nulls_phase(expect=[expect(resolves_within="10m")]))) == []


# Phases that are too short


def test_a_phase_shorter_than_for_cannot_fire() -> None:
    found = refused(read(BASELINE, nulls_phase(duration="1500ms")))
    assert paths(found) == [("nulls", "duration")]


def test_a_window_remembers_a_phase_that_is_longer_than_for() -> None:
    assert refused(read(BASELINE, nulls_phase(duration="2100ms"))) == []


def test_a_window_forgets_a_phase_before_a_long_for_is_over() -> None:
    long = group(KNOWN.rules[0], rule("NullsHigh", "nulls:ratio5s > 0.05", 30.0))
    late = NULLS | {"profile": {"kind": "step", "at": "10s"}}
    phase = nulls_phase(duration="32s", faults=[late], expect=[expect(within="30900ms")])
    (one,) = refused(read(BASELINE, phase), long)
    assert (one.path, one.fix) == (("nulls", "duration"), "write 41s or more")
    assert refused(read(BASELINE, {**phase, "duration": "41s"}), long) == []


# Doses


def test_a_dose_that_never_suffices_is_found() -> None:
    (one,) = of(NULLS | {"share": "1%"})
    assert one.path == ("nulls", "expect", 0, "alert")
    assert "share" in one.fix


def test_the_traffic_of_others_can_take_a_dose_below_the_threshold() -> None:
    scenario = read(BASELINE, nulls_phase())
    assert refused(scenario, background_per_s=20.0) == []
    (one,) = refused(scenario, background_per_s=400.0)
    assert one.path == ("nulls", "expect", 0, "alert")
    assert "2.5% of all that the target gets" in one.expected


@pytest.mark.parametrize(
    ("fault", "alert"),
    [
        (NULLS, "ErrorsHigh"),
        (NULLS, "SlowAnswers"),
        ({"kind": "surge", "factor": 3}, "SlowAnswers"),
        ({"kind": "retry_storm", "share": "50%"}, "ErrorsHigh"),
        ({"kind": "latency", "delay": "400ms", "share": "30%", "place": "edge"}, "SlowAnswers"),
        ({"kind": "latency", "delay": "240ms", "share": "30%"}, "SlowAnswers"),
        ({"kind": "traffic_loss", "share": 1}, "NoTraffic"),
        (NULLS, "Odd"),
    ],
)
def test_how_the_model_reacts_is_not_known_and_refuses_nothing(fault: dict[str, object], alert: str) -> None:
    slow = {"kind": "latency", "delay": "1s", "share": "50%"}
    before = {"name": "before", "duration": "20s", "faults": [slow]}
    wanted = {"alert": alert, "within": "10s"}
    scenario = read(before, nulls_phase(faults=[fault], expect=[wanted]))
    assert refused(scenario) == []
    (one,) = planned(scenario).prospects
    assert (one.fill, one.bounds.floor_s) == (None, None)


def test_too_few_slow_answers_are_too_few_however_slow_the_model_is() -> None:
    (one,) = of({"kind": "latency", "delay": "240ms", "share": "2%"}, alert="SlowAnswers")
    assert one.path == ("nulls", "expect", 0, "alert")


def test_few_touched_requests_are_no_ground_for_an_alert_of_which_nothing_is_known() -> None:
    (one,) = of(NULLS | {"share": "0.5%"}, expect=[expect("Odd", within="5s")])
    assert one.path == ("nulls", "faults", 0, "share")
    assert one.got is not None
    assert one.got.endswith("of 400 requests touched")
    assert of(NULLS | {"share": "5%"}, alert="Odd") == []


# Faults that touch nothing


def test_a_share_that_touches_nothing_is_found_even_where_nothing_is_expected() -> None:
    (one,) = of(NULLS | {"share": "0.01%"}, expect=[])
    assert one.path == ("nulls", "faults", 0, "share")


def test_a_written_share_of_0_is_a_control() -> None:
    assert of(NULLS | {"share": 0}) == []


def test_a_slice_without_requests_is_found() -> None:
    (one,) = of(NULLS | {"where": {"country": "XX"}})
    assert one.path == ("nulls", "faults", 0, "where")


def test_a_fault_that_leaves_all_as_it_is_is_found_and_a_larger_share_no_remedy() -> None:
    whole = {"kind": "rounding", "features": ["hour"], "to": 1, "share": 1}
    (one,) = of(whole, expect=[])
    assert one.path == ("nulls", "faults", 0, "kind")
    assert "leaves all 400 requests" in (one.got or "")


def test_a_pulse_between_two_requests_is_found() -> None:
    (one,) = of(NULLS | {"profile": {"kind": "pulse", "at": "2s", "lasts": "1ms"}}, expect=[])
    assert (one.path, one.fix) == (("nulls", "faults", 0, "profile"), "let it last longer, or add load")


@pytest.mark.parametrize("of_what", ["share", "dose"])
def test_a_profile_that_begins_after_the_phase_is_found(of_what: str) -> None:
    profile = {"kind": "ramp", "over": "5s", "at": "20s", "of": of_what}
    shift = {"kind": "mean_shift", "features": ["amount"], "by": "1sd", "share": 1, "profile": profile}
    found = of(shift, expect=[])
    assert paths(found) == [("nulls", "faults", 0, "profile")]
    assert "20s" in found[0].expected


def test_a_phase_without_requests_has_nothing_to_touch() -> None:
    found = of(NULLS, alert="NoTraffic", load={"factor": 0})
    assert paths(found) == [("nulls", "faults", 0, "kind")]
    assert "no request is sent" in (found[0].got or "")


def test_a_phase_whose_requests_are_all_suppressed_can_touch_these() -> None:
    assert of({"kind": "traffic_loss", "share": 1}, alert="NoTraffic") == []


# Limits


def surge(factor: float, **changes: object) -> list[Finding]:
    phase = nulls_phase(faults=[NULLS, {"kind": "surge", "factor": factor}], expect=[])
    one = planned(read(BASELINE, phase, **changes))
    return list(too_fast(one.plan, one.touch))


def test_a_surge_above_the_limit_of_the_drill_is_found_where_it_is_written() -> None:
    assert surge(4, limits={"max_rate": "80/s"}) == []
    (one,) = surge(6, limits={"max_rate": "80/s"})
    assert one.path == ("nulls", "faults", 1, "kind")
    assert "limits.max_rate" in one.fix


def test_chance_alone_is_no_surge_above_the_limit() -> None:
    few = {"kind": "retry_storm", "retries": 1, "share": "0.5%"}
    load = {"rate": "80/s", "arrivals": "poisson"}
    one = planned(read(BASELINE, nulls_phase(faults=[few], expect=[]), load=load, limits={"max_rate": "80/s"}))
    assert list(too_fast(one.plan, one.touch)) == []


def test_a_matcher_that_the_rule_s_own_label_never_passes_is_found() -> None:
    rules = group(rule("NullsHigh", "nulls:ratio5s > 0.05", severity="P1", zone="{{ $labels.zone }}"))
    wanted = expect(matchers=['zone="a"', 'severity=~"P[02]"'])
    (one,) = wrong_alerts(read(BASELINE, nulls_phase(expect=[wanted])).phases, RuleBook.of([rules]))
    assert one.path == ("nulls", "expect", 0, "matchers", 1)
    assert one.expected == "a matcher of severity: P1"
