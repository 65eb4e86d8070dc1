"""The same delay inside the model's app and in front of it: only the first moves the model server's own latency."""

from typing import Any

import pytest

from tests.e2e.drills import Drill, rules, run, scenario

OWN_LATENCY = """
      - alert: ServerLatencyHigh
        expr: |
          histogram_quantile(
            0.95, sum by (le) (rate(server_request_duration_seconds_bucket{job="model"}[5s]))
          ) > 0.25
        for: 2s
        labels: {severity: P1}
"""
PHASES = """\
  - name: inside
    duration: 20s
    end_when: decided
    faults: [{kind: latency, delay: 400ms, share: 30%, place: inside}]
    expect: [{alert: ServerLatencyHigh, within: 15s}, {alert: PredictionLatencyHigh, within: 18s}]
  - name: in_front
    duration: 20s
    end_when: decided
    faults: [{kind: latency, delay: 400ms, share: 30%, place: model}]
    expect: [{alert: PredictionLatencyHigh, within: 18s}]
    must_not_fire: [{alert: ServerLatencyHigh}]
"""


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    directory = tmp_path_factory.mktemp("inside")
    with_own = rules(directory, lambda text: text.rstrip() + "\n" + OWN_LATENCY)
    return run(directory, scenario(directory, PHASES), "--rules", with_own).ended()


def by_phase(drill: Drill, phase: str) -> dict[str, Any]:
    return {one["alert"]: one["verdict"] for one in drill.result["expectations"] if one["phase"] == phase}


def test_a_delay_inside_is_seen_by_the_server_itself_and_by_the_monitor(drill: Drill) -> None:
    assert by_phase(drill, "inside") == {"ServerLatencyHigh": "detected", "PredictionLatencyHigh": "detected"}
    assert drill.exit_code == 0, drill.output


def test_a_delay_in_front_is_a_blind_spot_of_the_server_that_the_monitor_covers(drill: Drill) -> None:
    assert by_phase(drill, "in_front") == {"PredictionLatencyHigh": "detected"}
    (quiet,) = [one for one in drill.result["prohibitions"] if one["phase"] == "in_front"]
    assert quiet["verdict"] == "quiet"


def test_every_planned_effect_inside_is_confirmed_once_by_the_app(drill: Drill) -> None:
    inside, _ = drill.result["faults"]
    confirmed = [i for one in drill.journal if one["record"] == "touched" and one["k"] == 2 for i in one["i"]]
    assert len(confirmed) == len(set(confirmed)) == inside["touched"] > 100
    assert inside["share_seen"] == pytest.approx(0.3, abs=0.06)
    served = [at for one in drill.journal if one["record"] == "served" and one["k"] == 2 for at in one["served_at"]]
    assert all(at is not None for at in served)
