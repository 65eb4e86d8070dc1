from pathlib import Path

import pytest

from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.compose.planning import make_plan
from alertdrill.core.errors import BadInput
from alertdrill.core.observations import RuleGroup, RuleInfo

SCENARIO = """\
version: 1
name: long
target: {bundled: fraud}
load: {rate: 1/s}
phases:
  - name: one
    duration: 5s
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: Slow, within: 4s}]
"""


def test_rules_that_look_back_for_hours_do_not_make_a_drill_of_hours(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(SCENARIO)
    rule = RuleInfo("Slow", "alerting", "rate(x[3h]) > 1", 0.0, 0.0, {}, {}, "ok", "")
    groups = [RuleGroup("rules.yml", "g", 1.0, None, (rule,))]
    with pytest.raises(BadInput, match=r"limits\.max_duration"):
        make_plan(load_scenario(file), file, None, groups, 1.0, "planned")
