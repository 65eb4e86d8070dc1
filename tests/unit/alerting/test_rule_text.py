import pytest
import yaml

from alertdrill.alerting.rule import Alert, Group, Pillar, Recording, Severity, Type
from alertdrill.alerting.rule_text import WIDTH, rules_text

TEXTS = [
    "Plain words, with (brackets) - and: colons",
    "{{ $labels.model }} begins with a brace",
    'It has "quotes" and is "{{ printf \\"%.1f\\" $value }}" so long that it has to be folded ' + "word " * 30 + "end",
    "no",
    "#hash",
    "ends with a colon:",
    "é ü — ÷",
    "back\\slash",
]


def alert(text: str) -> Alert:
    return Alert("A", 'up{job="x"} == 0', Severity.P1, Type.CAUSE, Pillar.DATA, text, text, more={"metric": "no"})


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_is_read_back_as_it_was(text: str) -> None:
    written = rules_text(["about"], [Group("g", (alert(text),))], "https://x/y/")
    assert max(map(len, written.splitlines())) <= WIDTH
    [rule] = yaml.safe_load(written)["groups"][0]["rules"]
    assert rule["annotations"] == {"summary": text, "description": text, "runbook_url": "https://x/y/A.md"}
    assert rule["expr"].strip() == 'up{job="x"} == 0'
    assert "for" not in rule


def test_labels_that_yaml_would_take_for_something_else_are_texts() -> None:
    labels = {"metric": "no", "kpi": "1e3", "other": "a b"}
    text = rules_text(
        [], [Group("g", (Alert("A", "x", Severity.P0, Type.CAUSE, Pillar.DATA, "s", "d", more=labels),))], "r"
    )
    [rule] = yaml.safe_load(text)["groups"][0]["rules"]
    assert rule["labels"] == {"severity": "P0", "type": "cause", "pillar": "data", **labels}


def test_expressions_of_several_lines_and_long_ones_keep_their_lines() -> None:
    rules = (
        Recording("a", "sum(\n  x\n)", "what a is"),
        Recording("b", "x + " * 40 + "x"),
        Recording("c", "{job='a'}"),
    )
    read = yaml.safe_load(rules_text([], [Group("g", rules, "5m")], "r"))["groups"][0]
    assert [rule["expr"].rstrip("\n") for rule in read["rules"]] == [rule.expr for rule in rules]
    assert read["interval"] == "5m"
