from dataclasses import replace

from worded import alert, group, loaded, record

from alertdrill.core.observations import RuleInfo
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.rule_changes import Written, causes

LINES = {"alert": 12, "record": 12, "expr": 14, "for": 15, "labels": 16}
RATIO = record("ratio:5m", "sum(rate(bad[5m])) / sum(rate(all[5m]))")
HIGH = alert("High", "ratio:5m > 0.05", 60.0, labels={"severity": "P1"})


def changed(*after: RuleInfo, before: tuple[RuleInfo, ...] = (RATIO, HIGH)) -> tuple[str, ...]:
    new: Rules = loaded(group(*after))
    written = {place: Written("data.yml", LINES) for place in new.places}
    return causes(loaded(group(*before)), new, written, "High")


def test_a_threshold_is_told_with_file_and_line() -> None:
    assert changed(RATIO, replace(HIGH, query="ratio:5m > 0.5")) == ("data.yml:14 0.05→0.5",)


def test_spaces_and_order_of_words_are_no_change() -> None:
    assert changed(replace(RATIO, query="sum( rate(bad[5m]) )\n/ sum(rate(all[300s]))"), HIGH) == ()


def test_a_token_in_a_block_is_told_by_its_own_line() -> None:
    longer = replace(RATIO, query="sum(rate(bad[5m]))\n/\nsum(rate(all[10m]))\n")
    assert changed(longer, HIGH) == ("data.yml:16 5m→10m",)


def test_what_an_alert_reads_counts_too() -> None:
    found = changed(replace(RATIO, query="vector(1)"), HIGH)
    assert found == ("data.yml:14 sum(rate(bad[5m])) / sum(rate(all[5m])) → vector(1)",)


def test_times_and_labels_are_told() -> None:
    other = replace(HIGH, for_s=300.0, keep_firing_for_s=60.0, labels={"team": "ml"})
    assert changed(RATIO, other) == (
        "data.yml:15 for 1m→5m",
        "data.yml:12 keep_firing_for 0s→1m",
        "data.yml:16 severity P1→none",
        "data.yml:16 team none→ml",
    )


def test_rules_that_are_new_or_gone_are_named() -> None:
    assert changed(RATIO) == ("record ratio:5m is removed", "alert High is removed") or set(changed(RATIO)) == {
        "alert High is removed"
    }
    assert changed(RATIO, HIGH, before=(RATIO,)) == ("data.yml:12 alert High is new",)


def test_another_interval_of_the_group_is_a_change() -> None:
    after = loaded(group(RATIO, HIGH, interval_s=5.0))
    written = {place: Written("data.yml", LINES) for place in after.places}
    assert causes(loaded(group(RATIO, HIGH)), after, written, "High") == ("data.yml interval of group g 1s→5s",)
