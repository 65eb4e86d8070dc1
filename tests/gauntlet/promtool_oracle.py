"""What promtool's engine writes for rules over samples, all of it: each failed expectation says what it got instead."""

import json
import math
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.recording import LabelKey, is_stale, label_key
from tests.gauntlet.replay_transitions import Values

_TIME = re.compile(r'^ +expr: ".*", time: (\S+),$')
_GOT = re.compile(r"^ +got: ?(.*)$")
_SAMPLE = re.compile(r'(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}) ([^\s,"]+)(?:, |"?$)')
_LABEL = re.compile(r'([^\s,{}="]+)=("(?:[^"\\]|\\.)*")')
_DURATION = re.compile(r"([\d.]+)(h|m|s)")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def written(
    promtool: Path,
    folder: Path,
    groups: Sequence[RuleGroup],
    series: Sequence[RawSeries],
    names: str,
    begin_ms: int,
    steps: int,
    step_s: float,
) -> Values:
    """The samples of metrics with certain names, by labels and time, which promtool counts from `begin_ms`.

    Args:
        promtool: the program.
        folder: where its files go.
        groups: of rules, in order; no rule may fail, or promtool stops.
        series: what was scraped, on the grid.
        names: regular expression of the metrics.
        begin_ms: promtool's time 0.
        steps: how many evaluations.
        step_s: between them, and between samples.
    """
    (folder / "rules.yml").write_text(json.dumps({"groups": [_group(one) for one in groups]}))
    asked = f'last_over_time({{__name__=~"{names}"}}[1ms])'
    every = [{"expr": asked, "eval_time": f"{round(n * step_s)}s", "exp_samples": [NOTHING]} for n in range(steps)]
    test = {
        "interval": f"{step_s:g}s",
        "input_series": [{"series": _name(one), "values": _values(one, begin_ms, steps, step_s)} for one in series],
        "promql_expr_test": every,
    }
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{step_s:g}s",
        "group_eval_order": [one.name for one in groups],
        "tests": [test],
    }
    (folder / "test.yml").write_text(json.dumps(tests))
    done = subprocess.run(
        [promtool, "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True, timeout=1800
    )
    said = done.stdout + done.stderr
    found = dict(_read(said, begin_ms))
    instants = sum(1 for line in said.splitlines() if _TIME.match(line))
    assert instants == steps, f"promtool answered {instants} of {steps} times: {said[:2000]}"
    return found


NOTHING = {"labels": "nothing_has_this_name", "value": 0}
"""What is expected everywhere, and never there."""


def _read(said: str, begin_ms: int) -> Iterator[tuple[tuple[LabelKey, int], float]]:
    at_ms = begin_ms
    keys: dict[str, LabelKey] = {}
    for line in said.splitlines():
        if at := _TIME.match(line):
            at_ms = begin_ms + round(sum(float(n) * _SECONDS[unit] for n, unit in _DURATION.findall(at[1])) * 1000)
        elif got := _GOT.match(line):
            text = got[1]
            text = json.loads(text) if text.startswith('"') else text
            end = 0
            for one in _SAMPLE.finditer(text):
                assert one.start() == end, text[end : end + 200]
                end = one.end()
                if one[1] not in keys:
                    keys[one[1]] = label_key({name: json.loads(value) for name, value in _LABEL.findall(one[1])})
                yield (keys[one[1]], at_ms), float(one[2])
            assert end == len(text) or text in ("", "nil"), text[end : end + 200]


def _name(series: RawSeries) -> str:
    labels = dict(series.labels)
    return labels.pop("__name__") + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"


def _values(series: RawSeries, begin_ms: int, steps: int, step_s: float) -> str:
    found = ["_"] * steps
    places = ((series.times_ms - begin_ms) // round(step_s * 1000)).tolist()
    for place, value, stale in zip(places, series.values.tolist(), is_stale(series.values).tolist(), strict=True):
        found[place] = "stale" if stale else "NaN" if math.isnan(value) else repr(value)
    return " ".join(found)


def _group(group: RuleGroup) -> dict[str, Any]:
    return {"name": group.name, "interval": f"{group.interval_s:g}s", "rules": [_rule(one) for one in group.rules]}


def _rule(rule: RuleInfo) -> dict[str, Any]:
    alert = rule.type == "alerting"
    found: dict[str, Any] = {"alert" if alert else "record": rule.name, "expr": rule.query, "labels": dict(rule.labels)}
    if alert:
        found |= {"for": f"{rule.for_s:g}s", "keep_firing_for": f"{rule.keep_firing_for_s:g}s"}
    return found
