"""The rules of a live drill, as files had them or as the engine showed them."""

from dataclasses import replace
from pathlib import Path

from alertdrill.compose.live_rules import live_rules
from alertdrill.compose.recorded import read_recorded

RECORDING = Path(__file__).parents[3] / "recordings" / "seed-disaster"


def test_they_are_those_of_the_files_with_their_lines() -> None:
    recorded = read_recorded(RECORDING)
    found = live_rules(recorded)
    (group,) = found.groups
    (text,) = recorded.plan.rules
    line = next(n for n, each in enumerate(text.text.splitlines(), 1) if "ratio_rate5s > 0.05" in each)
    (rule,) = [one for one in group.rules if one.rule.name == "FeatureNullRateHigh"]
    assert (group.file, rule.lines["expr"]) == (text.path, line)


def test_files_that_say_something_else_than_the_engine_did_do_not_count() -> None:
    recorded = read_recorded(RECORDING)
    (text,) = recorded.plan.rules
    for other in (text.text.replace("> 0.05", "> 0.06"), "groups: [", ""):
        plan = recorded.plan.model_copy(update={"rules": (text.model_copy(update={"text": other}),)})
        (group,) = live_rules(replace(recorded, plan=plan)).groups
        (rule,) = [one for one in group.rules if one.rule.name == "FeatureNullRateHigh"]
        assert rule.rule.query == "model:feature_null:ratio_rate5s > 0.05"
        assert rule.lines == {}
