"""A drill as a unit test of promtool: what was scraped, on promtool's grid, and what fired when.

promtool starts at time 0, gives every series the same interval, and evaluates all rules at the same instants. So
samples move to the nearest place of a grid that begins with the recording, and what is expected stands where a shift
by one interval changes nothing: amid the firing, and before the fault.

The format: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode
from alertdrill.core.case import Case
from alertdrill.core.matchers import quoted
from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.promql import Selector
from alertdrill.core.recording import is_stale
from alertdrill.core.result import ExpectationResult, Result, Verdict
from alertdrill.core.scope import AlertRule

OWN = ("ALERTS", "ALERTS_FOR_STATE")


class NotExported(ValueError):
    """A drill that cannot be written as such a test; the text says why."""


@dataclass(frozen=True)
class PromtoolTest:
    """The two files.

    Attributes:
        rules: a rule file, as a document.
        tests: the test file, as a document; it names the rule file.
        expectations: ids of what it tests.
        left_out: ids of what it does not, and why.
    """

    rules: Mapping[str, Any]
    tests: Mapping[str, Any]
    expectations: tuple[str, ...]
    left_out: Mapping[str, str]


def promtool_test(case: Case, result: Result, rule_file: str) -> PromtoolTest:
    """The unit test of a drill: every alert that was detected must fire again, and must not before the fault.

    Args:
        case: the facts of the drill.
        result: its verdicts.
        rule_file: name under which the test finds the rules.

    Raises:
        NotExported: nothing was detected, or the rules that detected are evaluated at different intervals.
    """
    chosen, left_out = [], {}
    for one in result.expectations:
        found = _firing(case, one)
        if found is None:
            left_out[one.id] = _why_left_out(one)
        else:
            chosen.append((one, *found))
    if not chosen:
        raise NotExported("no expectation of this drill was detected, so there is nothing to test")
    intervals = {rule.interval_ms for _, rule, _ in chosen}
    if len(intervals) > 1:
        raise NotExported("promtool evaluates all rules at one interval, and those that detected have several")
    groups = tuple({(rule.group.file, rule.group.name): rule.group for _, rule, _ in chosen}.values())
    groups = _with_chains(case, groups)
    evaluation_ms = intervals.pop()
    series = list(_input(case, groups))
    test = {
        "name": f"{result.scenario} {result.run_id}",
        "interval": _duration(case.scrape_ms),
        "input_series": [{"series": _name(one), "values": _values(case, one)} for one in series],
        "promql_expr_test": [
            check for one, _, episode in chosen for check in _checks(case, one, episode, evaluation_ms)
        ],
    }
    tests = {"rule_files": [rule_file], "evaluation_interval": _duration(evaluation_ms), "tests": [test]}
    rules = {"groups": [_group(group) for group in groups]}
    return PromtoolTest(rules, tests, tuple(one.id for one, _, _ in chosen), left_out)


def _why_left_out(one: ExpectationResult) -> str:
    if one.verdict is not Verdict.DETECTED:
        return "it was not detected"
    return "it fired too briefly" + ("" if one.replicas is None else ", or first on another replica")


def _firing(case: Case, one: ExpectationResult) -> tuple[AlertRule, Episode] | None:
    """The rule that detected, and the episode, if it fired for at least four evaluations."""
    if one.verdict is not Verdict.DETECTED or one.firing_at is None:
        return None
    firing_ms = round(one.firing_at * 1000)
    for episode in case.episodes:
        if episode.alert == one.alert and episode.firing_at == firing_ms:
            rules = [rule for rule in case.book.named(one.alert) if rule.may_give(episode.label_map)]
            if rules and episode.last_at - firing_ms >= 4 * rules[0].interval_ms:
                return rules[0], episode
    return None


def _with_chains(case: Case, groups: tuple[RuleGroup, ...]) -> tuple[RuleGroup, ...]:
    """The groups, and before them those that record what their alerts read."""
    names = {one.name for one in _read_by(case, groups)}
    here = {(one.file, one.name) for one in groups}
    before = [
        group
        for loaded in case.all(records.Rules)[:1]
        for group in loaded.groups
        if (group.file, group.name) not in here
        and any(one.type == "recording" and one.name in names for one in group.rules)
    ]
    return (*before, *groups)


def _read_by(case: Case, groups: Sequence[RuleGroup]) -> list[Selector]:
    """What the alerts of some groups read, through chains."""
    keys = {(one.file, one.name) for one in groups}
    rules = (rule for rule in case.book.alerts if (rule.group.file, rule.group.name) in keys)
    return [one for rule in rules for one in case.book.inputs(rule)]


def _input(case: Case, groups: Sequence[RuleGroup]) -> Iterator[RawSeries]:
    """What the rules of some groups read and no rule records, as it was scraped."""
    wanted = _read_by(case, groups)
    for series in case.recording.series:
        name = series.labels.get("__name__", "")
        if name not in OWN and name not in case.book.recorded and any(one.matches(series.labels) for one in wanted):
            yield series


def _values(case: Case, series: RawSeries) -> str:
    """The samples in promtool's notation, one a scrape interval from the recording's begin; `_` where there is none."""
    step = case.scrape_ms
    first = int(series.times_ms[0]) if len(series.times_ms) else case.recording.from_ms
    phase = (first - case.recording.from_ms) % step  # of its target's scrapes: jitter moves no sample to another place
    places = np.rint((series.times_ms - case.recording.from_ms - phase) / step).astype(np.int64) + 1
    count = (case.recording.to_ms - case.recording.from_ms) // step + 2
    values = ["_"] * count
    for place, value, stale in zip(
        places.tolist(), series.values.tolist(), is_stale(series.values).tolist(), strict=True
    ):
        if 0 <= place < count:
            values[place] = "stale" if stale else _number(value)
    return " ".join(_run_lengths(values))


def _run_lengths(values: Sequence[str]) -> Iterator[str]:
    """`a a a` as `a+0x2`, and `_ _ _` as `_x3`; what stands alone as it is."""
    at = 0
    while at < len(values):
        end = at
        while end < len(values) and values[end] == values[at]:
            end += 1
        value, count = values[at], end - at
        if count == 1 or value == "stale":
            yield from [value] * count
        elif value == "_":
            yield f"_x{count}"
        elif value in ("NaN", "+Inf", "-Inf"):
            yield from [value] * count
        else:
            yield f"{value}+0x{count - 1}"
        at = end


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _checks(case: Case, one: ExpectationResult, episode: Episode, evaluation_ms: int) -> Iterator[dict[str, Any]]:
    labels = {"alertname": episode.alert, "alertstate": "firing", **dict(episode.labels)}
    expression = _selector("ALERTS", labels)
    before_ms = round((one.fault_start or 0.0) * 1000) - evaluation_ms
    amid_ms = ((episode.firing_at or 0) + episode.last_at) // 2
    yield {"expr": expression, "eval_time": _since(case, before_ms, evaluation_ms), "exp_samples": []}
    sample = {"labels": expression, "value": 1}
    yield {"expr": expression, "eval_time": _since(case, amid_ms, evaluation_ms), "exp_samples": [sample]}


def _since(case: Case, at_ms: int, evaluation_ms: int) -> str:
    """An instant as promtool counts it, on its grid of evaluations."""
    return _duration(max(0, (at_ms - case.recording.from_ms) // evaluation_ms) * evaluation_ms)


def _duration(ms: int) -> str:
    return f"{ms}ms" if ms % 1000 else f"{ms // 1000}s"


def _selector(name: str, labels: Mapping[str, str]) -> str:
    inner = ",".join(f"{key}={quoted(value)}" for key, value in sorted(labels.items()))
    return f"{name}{{{inner}}}"


def _name(series: RawSeries) -> str:
    labels = dict(series.labels)
    return _selector(labels.pop("__name__", ""), labels)


def _group(group: RuleGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "interval": _duration(round(group.interval_s * 1000)),
        "rules": [*map(_rule, group.rules)],
    }


def _rule(rule: RuleInfo) -> dict[str, Any]:
    alert = rule.type == "alerting"
    found: dict[str, Any] = {"alert" if alert else "record": rule.name, "expr": rule.query}
    if alert and rule.for_s:
        found["for"] = _duration(round(rule.for_s * 1000))
    if alert and rule.keep_firing_for_s:
        found["keep_firing_for"] = _duration(round(rule.keep_firing_for_s * 1000))
    for key in ("labels", "annotations"):
        if getattr(rule, key):
            found[key] = dict(getattr(rule, key))
    return found
