"""Every bundled scenario has a recording of a drill that passed, and no rule that it names can go unnoticed."""

import re
from functools import cache
from pathlib import Path

import pytest

from alertdrill.adapters.bundled import bundled_scenarios, scenarios_dir
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.compose import judge_folder
from alertdrill.compose.replay import replay_recordings
from alertdrill.core.replay.comparison import Outcome, RecordingReplay
from alertdrill.core.result import DrillVerdict

ROOT = Path(__file__).parents[3]
RECORDINGS = ROOT / "recordings"
RULES = ROOT / "targets" / "fraud" / "rules" / "alerts.drill.yml"
MOST_BYTES = 300_000
NAMES = bundled_scenarios()
EXPECTED = [
    (name, alert)
    for name in NAMES
    for alert in dict.fromkeys(
        one.alert for phase in load_scenario(scenarios_dir() / f"{name}.yaml").phases for one in phase.expect
    )
]


@cache
def replayed(rules: Path) -> dict[str, RecordingReplay]:
    """All recordings under other rules, by the name of their scenario."""
    found = replay_recordings([RECORDINGS / name for name in NAMES], [rules], None, (), lambda _: None)
    return {one.result.scenario: one for one in found.recordings}


def test_there_is_one_small_recording_for_each_bundled_scenario() -> None:
    assert sorted(path.name for path in RECORDINGS.iterdir()) == NAMES
    for name in NAMES:
        assert sum(file.stat().st_size for file in (RECORDINGS / name).iterdir()) < MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_of_its_scenario_as_it_is_and_passed(name: str) -> None:
    outcome = judge_folder(RECORDINGS / name)
    assert outcome.result.verdict is DrillVerdict.PASSED
    assert outcome.plan.scenario == load_scenario(scenarios_dir() / f"{name}.yaml")
    assert outcome.result.to_json() == (RECORDINGS / name / "result.json").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_of_the_target_still_keep_what_a_recording_detected(name: str) -> None:
    one = replayed(RULES)[name]
    assert {change.outcome for change in one.changes} == {Outcome.KEPT}
    assert one.result.verdict is DrillVerdict.PASSED


@pytest.mark.parametrize("alert", sorted({alert for _, alert in EXPECTED}))
def test_removing_a_rule_that_scenarios_name_loses_what_it_detected_and_nothing_else(
    tmp_path: Path, alert: str
) -> None:
    text = RULES.read_text()
    without = re.sub(rf"      - alert: {alert}\n.*?(\n\n|\Z)", "", text, count=1, flags=re.DOTALL)
    assert without.count("- alert: ") == text.count("- alert: ") - 1
    (tmp_path / "rules.yml").write_text(without)
    for name, one in replayed(tmp_path / "rules.yml").items():
        lost = {change.id.partition("/")[2] for change in one.changes if change.outcome is Outcome.LOST}
        assert lost == ({alert} if (name, alert) in EXPECTED else set())
