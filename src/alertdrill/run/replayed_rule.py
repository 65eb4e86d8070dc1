"""One rule of a replay, evaluated stretch by stretch."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries, RuleInfo
from alertdrill.core.recording import LabelKey, label_key
from alertdrill.core.replay.alert_state import Active, AlertState, Written
from alertdrill.run.replay_engine import Refused, ReplayEngine

Instants = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

MOST_POINTS = 10_000
"""In one question; the engine refuses 11,000."""

MOST_FAILURES = 100
"""A rule that fails more often is not asked again: one that always fails would cost 11,519 questions a day."""

SAME_LABELS = "vector contains metrics with the same labelset after applying rule labels"


class ReplayedRule:
    """One rule as it is evaluated stretch by stretch."""

    def __init__(
        self, engine: ReplayEngine, rule: RuleInfo, interval_ms: int, active: Mapping[LabelKey, Active]
    ) -> None:
        self._engine, self._rule, self._interval_ms = engine, rule, interval_ms
        self._alerts = AlertState(round(rule.for_s * 1000), round(rule.keep_firing_for_s * 1000), active)
        self._recorded = Written()
        self._templated = rule.type == "alerting" and any("{{" in value for value in rule.labels.values())
        self._expanded: dict[tuple[LabelKey, int], dict[str, str]] = {}
        self.failed: set[int] = set()
        self.said = ""
        self.questions = 0

    @property
    def given_up(self) -> bool:
        """Whether the rule failed so often that it is not asked on."""
        return len(self.failed) >= MOST_FAILURES

    def evaluate(self, times_ms: Instants) -> list[RawSeries]:
        """What the rule writes at some instants, in order, later than those before."""
        if not len(times_ms):
            return []
        found = self._labelled(times_ms, self._answers(times_ms))
        good = ~np.isin(times_ms, np.array(sorted(self.failed), dtype=np.int64))
        times = times_ms[good]
        if self._rule.type == "recording":
            return self._recorded.series(
                times, {key: (mask[good], values[good]) for key, (mask, values) in found.items()}
            )
        return self._alerts.series(times, {key: mask[good] for key, (mask, _) in found.items()})

    def _answers(self, times_ms: Instants) -> list[RawSeries]:
        found: list[RawSeries] = []
        for begin in range(0, len(times_ms), MOST_POINTS):
            found += self._over(times_ms[begin : begin + MOST_POINTS])
        return found

    def _over(self, times_ms: Instants) -> list[RawSeries]:
        """Answers at some instants; a stretch that is refused is halved, down to instants that fail."""
        if self.given_up:
            self.failed |= set(times_ms.tolist())
            return []
        query, first, last = self._rule.query, int(times_ms[0]), int(times_ms[-1])
        self.questions += 1
        try:
            if len(times_ms) == 1:
                return self._engine.at(query, first)
            return self._engine.over(query, first, last, self._interval_ms)
        except Refused as error:
            if len(times_ms) == 1:
                self._fail(str(error), times_ms)
                return []
        middle = len(times_ms) // 2
        return self._over(times_ms[:middle]) + self._over(times_ms[middle:])

    def _fail(self, what: str, times_ms: Instants) -> None:
        self.said = self.said or what
        self.failed |= set(times_ms.tolist())

    def _labelled(self, times_ms: Instants, answers: Sequence[RawSeries]) -> dict[LabelKey, tuple[Mask, Floats]]:
        """By label set, with the rule's own labels, when it was returned and with what value; shape (n,) each.

        Where two of the series returned get the same labels, the rule fails, as it does live.
        """
        found: dict[LabelKey, tuple[Mask, Floats]] = {}
        self._expand(answers)
        for one in answers:
            position = np.minimum(np.searchsorted(times_ms, one.times_ms), len(times_ms) - 1)
            due = times_ms[position] == one.times_ms
            for key, chosen in self._keys(one):
                mask, values = found.setdefault(key, (np.zeros(len(times_ms), dtype=bool), np.zeros(len(times_ms))))
                at = position[due & chosen]
                twice = at[mask[at]]
                if len(twice):
                    self._fail(SAME_LABELS, times_ms[twice])
                mask[at], values[at] = True, one.values[due & chosen]
        return found

    def _keys(self, one: RawSeries) -> list[tuple[LabelKey, Mask]]:
        """The labels under which samples of a series are written, and which samples those are."""
        own = {name: value for name, value in one.labels.items() if name != "__name__"}
        every = np.ones(len(one.times_ms), dtype=bool)
        if self._rule.type == "recording":
            return [(_key({**own, **self._rule.labels, "__name__": self._rule.name}), every)]
        named = {"alertname": self._rule.name}
        if not self._templated:
            return [(_key({**own, **self._rule.labels, **named}), every)]
        key = label_key(one.labels)
        return [
            (_key({**own, **self._expanded[key, _bits(value)], **named}), one.values.view(np.uint64) == _bits(value))
            for value in _distinct(one.values)
        ]

    def _expand(self, answers: Sequence[RawSeries]) -> None:
        """Have the engine expand the rule's templates for whatever it has not been asked about."""
        if not self._templated:
            return
        samples = [(label_key(one.labels), value) for one in answers for value in _distinct(one.values)]
        fresh = [(key, value) for key, value in samples if (key, _bits(value)) not in self._expanded]
        if fresh:
            found = self._engine.expand(self._rule.labels, fresh)
            self._expanded |= {(key, _bits(value)): one for (key, value), one in zip(fresh, found, strict=True)}


def _distinct(values: Floats) -> list[float]:
    """Each value once, NaNs told apart by their bits."""
    distinct: list[float] = np.unique(values.view(np.uint64)).view(np.float64).tolist()
    return distinct


def _bits(value: float) -> int:
    return int(np.array([value]).view(np.uint64)[0])


def _key(labels: Mapping[str, str]) -> LabelKey:
    """Labels in a form that can be compared; a label without a value is none."""
    return label_key({name: value for name, value in labels.items() if value})
