import json

import numpy as np
import pytest
from drill import BASELINE, expect, nulls_phase, read
from planned import TAIL_S, planned
from recorded_drills import numbered, recorded, recorded_plan

from alertdrill.core.blast_radius import blast_radius
from alertdrill.core.errors import Mistake
from alertdrill.core.outlook import PARTS, Outlook, Planned
from alertdrill.core.prospect import assumed_starts
from alertdrill.core.scenario import Scenario
from alertdrill.core.touch import Touch
from alertdrill.core.traffic_log import TrafficLog

RAMP = {"kind": "nulls", "features": ["am*"], "share": "50%", "profile": {"kind": "ramp", "over": "20s"}}


def outlook(scenario: Scenario, background_per_s: float | None = None) -> Outlook:
    return planned(scenario, background_per_s=background_per_s).outlook((), ())


def test_stretches_stand_one_after_the_other_gates_as_short_as_they_can_be() -> None:
    one = outlook(read(BASELINE, nulls_phase()))
    assert [stretch.kind for stretch in one.stretches] == ["steady", "phase", "gate", "phase", "settle"]
    assert [stretch.begins_s for stretch in one.stretches] == [0, 9, 19, 28, 48]
    assert [stretch.least_s for stretch in one.stretches] == [9, 10, 9, 20, 9]
    assert one.stretches[2].longest_s > 9
    assert {stretch.rate_per_s for stretch in one.stretches} == {20}


def test_the_rate_within_a_phase_is_told_where_a_fault_changes_it() -> None:
    lost = {"kind": "traffic_loss", "share": 1, "profile": {"kind": "step", "at": "10s"}}
    stretches = outlook(read(BASELINE, nulls_phase(faults=[lost], expect=[]))).stretches
    rates = stretches[3].rates_per_s
    assert stretches[1].rates_per_s is None
    assert rates is not None
    assert sum(rates[: PARTS // 2]) / (PARTS // 2) == pytest.approx(20)
    assert set(rates[PARTS // 2 :]) == {0.0}


def test_the_rate_within_a_phase_is_told_where_a_profile_changes_it() -> None:
    load = {"rate": "20/s", "arrivals": "constant", "profile": {"kind": "ramp", "from": 0, "to": 4, "over": "20s"}}
    steady, baseline, _, phase, _ = outlook(read(BASELINE, nulls_phase(), load=load)).stretches
    assert (steady.rate_per_s, steady.rates_per_s) == (20, None)
    assert (baseline.rate_per_s, phase.rate_per_s) == (pytest.approx(20), pytest.approx(40))
    assert phase.rates_per_s is not None
    assert sum(phase.rates_per_s) / PARTS == pytest.approx(40, abs=0.1)
    assert sum(phase.rates_per_s[:6]) < 40 < sum(phase.rates_per_s[-6:]) / 6


def test_the_rates_of_a_log_are_its_own() -> None:
    at_us = np.concatenate([np.arange(0, 5_000_000, 100_000), np.arange(5_000_000, 60_000_000, 25_000)])
    scenario = recorded(BASELINE)
    plan = recorded_plan(scenario, TrafficLog.of(at_us, numbered(len(at_us))))
    touch = Touch(plan)
    radius = blast_radius(plan, touch, [])
    one = Planned(plan, scenario, touch, TAIL_S, assumed_starts(plan, touch, TAIL_S)[0], None, (), (), radius)
    stretch = one.outlook((), ()).stretches[1]
    assert stretch.rate_per_s == 25
    assert stretch.rates_per_s is not None
    assert {round(rate) for rate in stretch.rates_per_s[:28]} <= {6, 12}
    assert {round(rate) for rate in stretch.rates_per_s[32:]} <= {36, 42}


def test_an_injection_shows_its_profile_over_its_phase() -> None:
    (one,) = outlook(read(BASELINE, nulls_phase(faults=[RAMP]))).injections
    assert (one.features, one.profile, one.place) == (("amount",), "ramp", None)
    assert one.strength == tuple(sorted(one.strength))
    assert (one.strength[0], one.strength[-1]) == (pytest.approx(1 / PARTS, abs=0.01), pytest.approx(1, abs=0.01))


def test_a_pulse_shorter_than_a_part_is_seen() -> None:
    short = RAMP | {"profile": {"kind": "pulse", "at": "5100ms", "lasts": "100ms"}}
    (one,) = outlook(read(BASELINE, nulls_phase(faults=[short], expect=[]))).injections
    assert max(one.strength) == 1


def test_without_the_traffic_of_others_nobody_knows_the_share_of_all() -> None:
    scenario = read(BASELINE, nulls_phase())
    known, unknown = outlook(scenario, background_per_s=60.0), outlook(scenario)
    assert unknown.injections[0].share_seen is None
    assert known.injections[0].share_seen == pytest.approx(0.125, abs=0.02)


def test_a_dilution_that_can_be_noticed_gets_a_note() -> None:
    scenario = read(BASELINE, nulls_phase())
    (note,) = outlook(scenario, background_per_s=60.0).notes
    assert note.startswith("nulls/nulls: ")
    assert "as others send 60/s" in note
    assert outlook(scenario, background_per_s=0.5).notes == ()
    assert outlook(scenario, background_per_s=0.0).notes == ()


def test_expectations_have_their_odds() -> None:
    one = outlook(read(BASELINE, nulls_phase(expect=[expect(), expect("Odd")])))
    known, odd = one.expectations
    assert (known.odds_within, known.within_is_auto) == (1.0, False)
    assert known.point_95_s is not None
    assert (odd.floor_s, odd.odds_within, odd.point_95_s) == (None, None, None)
    assert (odd.loaded, odd.for_s) == (True, 1.0)


def test_a_deadline_that_passes_in_few_drills_gets_a_note() -> None:
    (note,) = outlook(read(BASELINE, nulls_phase(expect=[expect(within="3s")]))).notes
    assert note.startswith("nulls/NullsHigh: within 3 s passes in ")
    assert note.endswith("s in 95%")


def test_an_alert_that_is_not_sure_to_fire_gets_a_note() -> None:
    burst = RAMP | {"profile": {"kind": "pulse", "lasts": "500ms"}}
    (note,) = outlook(read(BASELINE, nulls_phase(faults=[burst]))).notes
    assert "not sure to fire" in note


def test_what_was_auto_is_told() -> None:
    written = read(BASELINE, nulls_phase(duration="auto", expect=[expect(within="auto")]))
    one = planned(read(BASELINE, nulls_phase(duration="9s", expect=[expect(within="5s")])))
    found = type(one)(**{**vars(one), "written": written}).outlook((), ())
    assert found.expectations[0].within_is_auto
    assert found.notes == ("nulls: duration: auto is 9 s",)


def test_the_json_is_canonical_and_has_everything() -> None:
    mistake = Mistake("phases[1]", "1s", "2s", "write 2s", line=7, file="x.yaml")
    one = planned(read(BASELINE, nulls_phase())).outlook(["a note"], [mistake])
    found = json.loads(one.to_json())
    assert list(found) == sorted(found)
    assert found["schema"] == "alertdrill/outlook/v1"
    assert found["mistakes"] == [
        {"where": "phases[1]", "line": 7, "got": "1s", "expected": "2s", "fix": "write 2s"},
    ]
    assert found["notes"] == ["a note"]
    assert Outlook.model_validate(found) == one
