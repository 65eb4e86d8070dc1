"""Why a silent rule could see nothing."""

import numpy as np
import pytest
from drill import INPUT, RULES, UP, Drill, expect, group, nulls_phase, rule

from alertdrill.core.observations import RuleGroup


def asking(query: str) -> Drill:
    """A drill of one more alert with this expression."""
    rules: RuleGroup = group(*RULES.rules, rule("Mine", query))
    return Drill(nulls_phase(expect=[expect("Mine", labels={})]), rules=rules)


def reason(drill: Drill) -> tuple[str, str]:
    one = drill.expectation()
    assert one.reason is not None
    assert one.verdict.value == "missed", one.reason
    return one.reason.text, one.reason.decide_it_by


@pytest.mark.parametrize(
    ("query", "text", "fix"),
    [
        (
            'nulls:ratio5s{feature="ammount"} > 0.05',
            'nulls:ratio5s{feature="ammount"} selects nothing: no series has feature="ammount"',
            "did you mean amount?",
        ),
        ('values_total{cell="x"} > 0', 'values_total{cell="x"} selects nothing: no series has', "cell is null"),
        ("nulls:ratio5 > 0.05", "nulls:ratio5 selects nothing", "did you mean nulls:ratio5s?"),
        ("something_else > 0.05", "something_else selects nothing", "see that what it names is exported"),
        (
            'rate(values_total{job="monitr"}[5s]) > 1',
            'no target with job="monitr" is scraped',
            "scrape it; there are monitor",
        ),
    ],
)
def test_what_selects_nothing_is_named_with_what_is_there_instead(query: str, text: str, fix: str) -> None:
    found = reason(asking(query))
    assert text in found[0]
    assert fix in found[1]
    assert "threshold" not in found[1]


def test_a_target_that_was_never_up_is_named() -> None:
    drill = asking('rate(values_total{job="other"}[5s]) > 1')
    up = drill.case().recording.named("up")[0].times_ms
    drill.record(UP | {"job": "other", "instance": "o:1"}, up, 0.0)
    text, fix = reason(drill)
    assert "job other at o:1 was never up" in text
    assert "cannot be scraped" in fix


def test_a_target_that_exports_no_such_series_is_named() -> None:
    drill = asking('rate(values_total{job="other"}[5s]) > 1')
    drill.record(UP | {"job": "other", "instance": "o:1"}, drill.case().recording.named("up")[0].times_ms)
    text, fix = reason(drill)
    assert "job other at o:1 is scraped, and no such series comes from it" in text
    assert "exports values_total, or has another name" in fix


def test_a_target_that_is_down_is_not_blamed_for_a_name_that_nothing_has() -> None:
    drill = asking("nulls:ratio5 > 0.05")
    drill.record(UP | {"job": "other", "instance": "o:1"}, drill.case().recording.named("up")[0].times_ms, 0.0)
    assert "did you mean nulls:ratio5s?" in reason(drill)[1]


def test_a_page_that_stands_still_is_said_and_no_lower_threshold_is_advised() -> None:
    drill = Drill()
    for one in drill.series:
        if one.labels["__name__"] == INPUT["__name__"]:
            one.values[one.times_ms > drill.start_ms()] = 7.0
    text, fix = reason(drill)
    assert "nothing that was scraped from job monitor at m:1 changed" in text
    assert fix == "see whether it still counts, or serves an old page"


def test_one_series_that_moves_is_enough() -> None:
    drill = Drill()
    scraped = drill.case().recording.named("values_total")[0].times_ms
    drill.series = [one for one in drill.series if one.labels["__name__"] != INPUT["__name__"]]
    drill.record(INPUT, scraped, 3.0).record(INPUT | {"cell": "q1"}, scraped, np.arange(len(scraped)))
    assert "threshold <" in reason(drill)[1]


def test_the_signal_is_that_of_the_series_that_the_rule_selects() -> None:
    drill = asking('nulls:ratio5s{feature="ammount"} > 0.05')
    assert drill.expectation().evidence.get("signal") is None
