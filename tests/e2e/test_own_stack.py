import pytest

from tests.e2e.drills import Drill

pytestmark = pytest.mark.drill("own_prometheus")


def test_a_team_s_own_model_monitor_and_prometheus_are_drilled_as_they_are(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert one["verdict"] == "detected", drill.output
    assert one["floor_s"] <= one["ttd_s"] <= one["worst_s"]
    assert drill.exit_code == 0


def test_the_rules_of_a_foreign_prometheus_are_read_from_it(drill: Drill) -> None:
    assert drill.expectation("nulls")["evidence"]["rule"]["query"].startswith("model:feature_null:ratio_rate5s")
