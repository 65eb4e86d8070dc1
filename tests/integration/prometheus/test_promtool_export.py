"""A drill whose evidence is made so that its rules truly fire, exported and run by the real promtool."""

from pathlib import Path

import pytest
from tests.unit.core.drill import RULES, Drill, group, rule

from alertdrill.adapters.results_folder import ResultsFolder
from alertdrill.compose.export import promtool_files
from alertdrill.core.errors import AlertdrillError

FOR_S = 2.0


def counted(threshold: int) -> Drill:
    """NullsHigh fires when the counter passes a threshold; the counter counts seconds."""
    over = rule("NullsHigh", f'values_total{{cell="null"}} > {threshold}', FOR_S, severity="P1")
    return Drill(rules=group(*RULES.rules[:1], over, *RULES.rules[2:]))


def kept(folder: Path, drill: Drill) -> Path:
    found = ResultsFolder.create(folder, "drill", "run")
    found.write_plan(drill.plan)
    found.journal.write_text("".join(one.model_dump_json() + "\n" for one in drill.journal))
    found.write_samples(drill.recording())
    return found.path


def firing(threshold: int) -> Drill:
    """The same drill, fired as the counter of `threshold` tells."""
    drill = counted(threshold)
    crosses = drill.evaluation(drill.from_ms + 100 + (threshold + 1) * 1000)
    until = drill.evaluation(drill.last_ms() + 2000)
    labels = {"feature": "amount", "cell": "null", "job": "monitor", "instance": "m:1"}
    return drill.fire(crosses, crosses + 2000, until, **labels)


@pytest.fixture
def crossed_at() -> int:
    """Seconds after the begin of the recording at which the fault has begun for good."""
    drill = counted(0)
    return (drill.start_ms() - drill.from_ms) // 1000 + 2


def test_promtool_passes_what_truly_fired(tmp_path: Path, crossed_at: int) -> None:
    found = promtool_files(kept(tmp_path, firing(crossed_at)), "r.yml")
    assert found.expectations == ("nulls/NullsHigh",)
    assert "alert: NullsHigh" in found.rules


def test_what_promtool_does_not_pass_is_not_written(tmp_path: Path, crossed_at: int) -> None:
    drill = firing(crossed_at)
    for position, one in enumerate(drill.series):  # the counter stands still: the rule cannot fire over this evidence
        if one.labels["__name__"] == "values_total":
            one.values[:] = 0.0
            drill.series[position] = one
    with pytest.raises(AlertdrillError, match="promtool does not pass"):
        promtool_files(kept(tmp_path, drill), "r.yml")
