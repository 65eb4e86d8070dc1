"""Settings put into rules: what changes, what stays, and what has no meaning."""

from collections.abc import Sequence

import pytest
from tests.unit.core.replay.worded import alert, record

from alertdrill.core.errors import BadInput
from alertdrill.core.observations import RuleInfo
from alertdrill.core.replay.rule_settings import with_settings, written_values
from alertdrill.core.replay.settings import parse_settings, points
from alertdrill.core.written_rules import WrittenGroup, WrittenRule

RATIO = record("ratio", "sum(rate(bad[5s])) / sum(rate(all[5s]))")


def written(*rules: RuleInfo, name: str = "g", interval_s: float | None = None) -> WrittenGroup:
    lines = [WrittenRule(rule, 10 * i, {"expr": 10 * i + 1, "for": 10 * i + 2}) for i, rule in enumerate(rules, 1)]
    return WrittenGroup("rules.yml", name, 1, interval_s, tuple(lines))


def changed(groups: Sequence[WrittenGroup], *texts: str) -> dict[str, RuleInfo]:
    (choices,) = points(parse_settings(texts))
    found = with_settings(groups, choices)
    assert [[one.lines for one in group.rules] for group in found] == [
        [one.lines for one in group.rules] for group in groups
    ]
    return {one.rule.name: one.rule for group in found for one in group.rules}


def refused(groups: Sequence[WrittenGroup], *texts: str) -> str:
    with pytest.raises(BadInput) as error:
        changed(groups, *texts)
    return str(error.value)


GROUPS = (written(RATIO, alert("High", "ratio > 0.05", 2.0), alert("Down", "up == 0", 9.0)),)


def test_a_setting_is_that_of_all_alerts_and_that_of_one_is_stronger() -> None:
    found = changed(GROUPS, "High.for=1s", "for=4s", "keep_firing_for=3s")
    assert {name: (one.for_s, one.keep_firing_for_s) for name, one in found.items()} == {
        "ratio": (0.0, 0.0),
        "High": (1.0, 3.0),
        "Down": (4.0, 3.0),
    }


def test_a_threshold_is_changed_in_the_alert_alone() -> None:
    found = changed(GROUPS, "High.threshold=0.2")
    assert found["High"].query == "ratio > 0.2"
    assert (found["ratio"], found["Down"]) == (RATIO, GROUPS[0].rules[2].rule)


def test_the_window_of_an_alert_is_that_of_the_recording_rules_behind_it() -> None:
    found = changed(GROUPS, "High.window=1m")
    assert found["ratio"].query == "sum(rate(bad[1m])) / sum(rate(all[1m]))"
    assert found["High"].query == "ratio > 0.05"


def test_a_window_that_another_alert_reads_too_is_not_one_alert_s_to_change() -> None:
    shared = (written(RATIO, alert("High", "ratio > 0.05"), alert("Higher", "ratio > 0.5")),)
    said = refused(shared, "High.window=1m")
    assert "rules.yml:21: --set High.window=1m" in said
    assert "ratio, which Higher reads too" in said
    assert changed(shared, "window=1m")["ratio"].query == "sum(rate(bad[1m])) / sum(rate(all[1m]))"


def test_the_evaluation_interval_is_that_of_groups() -> None:
    two = (written(alert("A", "up"), name="a", interval_s=1.0), written(alert("B", "up"), name="b"))
    for texts, found in ((["evaluation_interval=5s"], [5.0, 5.0]), (["B.evaluation_interval=5s"], [1.0, 5.0])):
        (choices,) = points(parse_settings(texts))
        assert [one.interval_s for one in with_settings(two, choices)] == found


def test_all_that_has_no_meaning_is_said_at_once_with_file_and_line() -> None:
    rules = (
        written(
            record("p95", "max(rate(x[4s]))"),
            alert("Slow", "max(rate(x[10s])) > 1 and p95 > 1"),
            alert("High", "ratio > y"),
        ),
    )
    said = refused(rules, "threshold=1", "Slow.window=5s", "Higj.for=1s")
    assert "rules.yml:21: --set threshold=1\n  got 2 comparisons in Slow" in said
    assert "rules.yml:31: --set threshold=1\n  got a comparison with something else than one number in High" in said
    assert "--set Slow.window=5s\n  got ranges of 4s and 10s" in said
    assert "fix: write High.for" in said
    assert "no range" in refused(rules, "High.window=5s")


def test_what_rules_say_themselves_is_one_value_where_they_agree() -> None:
    def said(text: str) -> set[float]:
        return set(written_values(GROUPS, parse_settings([text])[0], 15.0))

    assert said("for=1s") == {2.0, 9.0}
    assert said("High.for=1s") == {2.0}
    assert said("High.threshold=1") == {0.05}
    assert said("High.window=1s") == {5.0}
    assert said("keep_firing_for=1s") == {0.0}
    assert said("evaluation_interval=1s") == {15.0}
