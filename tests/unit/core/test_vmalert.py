"""The usual drill, its rules evaluated by vmalert: ALERTS are what was shown, and their instants have an error bar."""

from dataclasses import replace

from drill import EVALUATION_MS, RULES, T0_S, Drill, outcome

from alertdrill.core import journal as records

VMALERT = replace(RULES, engine="vmalert", lag_s=32.0)


def shown(error_s: float = 0.03) -> Drill:
    drill = Drill(rules=VMALERT)
    at = tuple(one / 1000 for one in range(drill.from_ms + EVALUATION_MS, drill.to_ms, 1000))
    drill.add(records.Evaluated(at=T0_S, file=RULES.file, group=RULES.name, evaluated_at=at))
    return drill.add(records.Instants(at=T0_S, engine="vmalert", error_s=error_s)).detect()


def test_an_alert_that_vmalert_showed_is_detected_with_the_error_of_its_instants() -> None:
    one = shown().expectation()
    assert outcome(one) == ("detected", None)
    assert one.ttd_error_s == 0.031
    assert (one.floor_s, one.expected_s, one.worst_s) == (None, None, None)


def test_what_its_evaluations_see_late_is_named_as_what_moves_the_time_before_pending() -> None:
    hops = {hop.hop: hop for hop in shown().expectation().waterfall}
    assert list(hops) == ["served", "pending", "firing"]
    assert hops["pending"].setting == "age of samples: up to 32s"
    assert Drill().detect().expectation().waterfall[-2].setting == "evaluation_interval: 1s"


def test_silence_is_a_miss_only_while_it_is_known_to_have_been_evaluated() -> None:
    silent = shown()
    silent.series = [one for one in silent.series if one.labels["__name__"] != "ALERTS"]
    assert outcome(silent.expectation()) == ("missed", "never_pending")
    assert outcome(silent.drop(records.Evaluated).expectation()) == ("inconclusive", "evaluation_gap")
