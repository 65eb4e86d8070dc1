"""Alerts of an engine that shows them only as they are now: looks at its rules become samples of ALERTS.

vmalert writes ALERTS to another server, seconds late and in whole seconds. What its rules show is exact: `activeAt` is
the nominal instant of the evaluation at which an alert became pending, and each rule says when it was last evaluated.
Its evaluations are whole intervals apart, so with two looks an interval the instant of each is known.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from alertdrill.core.alerts import GAP_INTERVALS
from alertdrill.core.observations import Labels, RawSeries
from alertdrill.core.recording import LabelKey, label_key

RuleKey = tuple[str, str, int]


@dataclass(frozen=True)
class ShownAlert:
    """An alert that a rule shows: `state` is pending or firing; `active_at` is Unix time in seconds.

    `restored`: the engine took it over from before its start, and `active_at` is no evaluation of its own.
    """

    labels: Labels
    state: str
    active_at: float
    restored: bool


@dataclass(frozen=True)
class ShownRule:
    """An alert rule at one look.

    Attributes:
        key: file, group and place in it.
        interval_s: between two evaluations.
        evaluated_at: when its last evaluation began, Unix seconds; None before the first.
        alerts: what is pending or firing.
        failed: its last evaluation failed: the alerts are those of the one before.
    """

    key: RuleKey
    interval_s: float
    evaluated_at: float | None
    alerts: tuple[ShownAlert, ...]
    failed: bool = False


class ShownAlerts:
    """What was seen of the alerts of an engine, in order of time.

    Attributes:
        error_s: how far off the instants at which alerts came, fired and went may be: from the nominal instant of an
            evaluation to when it really began, and the evaluations between two looks, where there are several.
    """

    def __init__(self) -> None:
        self._samples: dict[LabelKey, list[int]] = defaultdict(list)
        self._evaluated: dict[RuleKey, float] = {}
        self._states: dict[RuleKey, dict[LabelKey, str]] = defaultdict(dict)
        self._on_grid: dict[tuple[RuleKey, LabelKey, float], bool] = {}
        self.error_s = 0.0

    def see(self, rules: Iterable[ShownRule]) -> None:
        """Take in a look."""
        for rule in rules:
            began = max((one.active_at for one in rule.alerts if not one.restored), default=0.0)
            if rule.evaluated_at is not None and not rule.failed:
                self._see(rule, max(rule.evaluated_at, began))

    def series(self) -> list[RawSeries]:
        """The samples of ALERTS that the engine would have stored, one for each evaluation that was seen."""
        found = []
        for key, times in self._samples.items():
            at = np.unique(np.array(times, dtype=np.int64))
            found.append(RawSeries(dict(key), at, np.ones(len(at))))
        return found

    def _see(self, rule: ShownRule, evaluated_at: float) -> None:
        before, previous = self._evaluated.get(rule.key), self._states[rule.key]
        if before is not None and evaluated_at <= before:
            return
        states: dict[LabelKey, str] = {}
        for one in rule.alerts:
            alert = label_key(one.labels)
            states[alert] = one.state
            at = self._instant(rule, one, alert, evaluated_at)
            if previous.get(alert) != one.state and before is not None:
                self._doubt(evaluated_at - at, evaluated_at - before, rule.interval_s)
            sample = {**one.labels, "__name__": "ALERTS", "alertstate": one.state}
            self._samples[label_key(sample)].append(round(at * 1000))
        if before is not None and previous.keys() - states.keys():
            self._doubt(0.0, evaluated_at - before, rule.interval_s)
        self._evaluated[rule.key], self._states[rule.key] = evaluated_at, states

    def _instant(self, rule: ShownRule, one: ShownAlert, alert: LabelKey, evaluated_at: float) -> float:
        """The nominal instant of an evaluation; when it began, where `active_at` is not on the grid of evaluations.

        It is, if the alert was first seen at the evaluation that it names: newer versions date evaluations back.
        """
        since = evaluated_at - one.active_at
        seen_at_once = not one.restored and since < rule.interval_s
        on_grid = self._on_grid.setdefault((rule.key, alert, one.active_at), seen_at_once)
        return evaluated_at - since % rule.interval_s if on_grid else evaluated_at

    def _doubt(self, late_s: float, between_s: float, interval_s: float) -> None:
        unseen_s = between_s - interval_s if between_s > GAP_INTERVALS * interval_s else 0.0
        self.error_s = max(self.error_s, late_s + unseen_s)
