import gzip

import pytest

from tests.e2e.drills import Drill
from tests.e2e.recipes import TOKEN

pytestmark = pytest.mark.drill("own_prometheus")


def test_a_team_s_own_model_monitor_and_prometheus_are_drilled_as_they_are(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert one["verdict"] == "detected", drill.output
    assert one["floor_s"] <= one["ttd_s"] <= one["worst_s"]
    assert drill.exit_code == 0


def test_the_rules_of_a_foreign_prometheus_are_read_from_it(drill: Drill) -> None:
    assert drill.expectation("nulls")["evidence"]["rule"]["query"].startswith("model:feature_null:ratio_rate5s")


def test_an_alert_that_fires_always_neither_blocks_a_drill_nor_is_a_false_alarm(drill: Drill) -> None:
    result = drill.result
    assert result["verdict"] == "passed"
    assert "Watchdog" in {one["alert"] for one in result["background"]}
    assert result["false_alarms"] == []
    assert "Watchdog" not in {one["alert"] for one in result["also_fired"]}


def test_what_a_prometheus_is_logged_in_with_is_nowhere_in_what_a_drill_leaves_or_says(drill: Drill) -> None:
    files = [path for path in drill.folder.parent.rglob("*") if path.is_file()]
    assert {"plan.json", "journal.jsonl", "result.json"} <= {path.name for path in files}
    for path in files:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert TOKEN.encode() not in data, path
    assert TOKEN not in drill.output
    arguments = (drill.folder.parents[2] / "arguments.txt").read_text()
    assert "alertdrill.lifeline" in arguments
    assert TOKEN not in arguments
    assert (
        b'"file": "token"' in (drill.folder / "plan.json").read_bytes()
        or b'"file":"token"' in (drill.folder / "plan.json").read_bytes()
    ), "where it is, is said"
