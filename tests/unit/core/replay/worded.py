"""Rules and series in few words."""

from collections.abc import Mapping, Sequence

import numpy as np

from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.replay.dependencies import Rules


def alert(
    name: str, query: str, for_s: float = 0.0, keep_s: float = 0.0, labels: Mapping[str, str] | None = None
) -> RuleInfo:
    return RuleInfo(name, "alerting", query, for_s, keep_s, labels or {}, {}, "ok", "")


def record(name: str, query: str, labels: Mapping[str, str] | None = None) -> RuleInfo:
    return RuleInfo(name, "recording", query, 0.0, 0.0, labels or {}, {}, "ok", "")


def group(*rules: RuleInfo, name: str = "g", file: str = "/etc/rules.yml", interval_s: float = 1.0) -> RuleGroup:
    return RuleGroup(file, name, interval_s, None, rules)


def loaded(*groups: RuleGroup) -> Rules:
    return Rules(groups)


def series(name: str, times: Sequence[int], values: Sequence[float] | None = None, **labels: str) -> RawSeries:
    given = np.ones(len(times)) if values is None else np.array(values, dtype=np.float64)
    return RawSeries({"__name__": name, **labels}, np.array(times, dtype=np.int64), given)
