"""What the keeper has counted, and the metrics of it: feedback, lags, the store."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import accumulate
from typing import TypeVar

from alertdrill.monitor.exposition import header, key, lines, number
from alertdrill.monitor.truth.feedback import Refusal
from alertdrill.monitor.truth.intake import Intake, none_of
from alertdrill.monitor.truth.joining import Outcome, Tally
from alertdrill.monitor.truth.reading import Unread
from alertdrill.monitor.truth.store import Ailment

LAG_EDGES_S = (1.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 259_200.0, 604_800.0, 1_209_600.0, 2_592_000.0)
Kind = TypeVar("Kind", bound=StrEnum)

LAG = "model_label_lag_seconds"


class Ledger:
    """Counters that only the keeper's thread adds to; whoever renders reads whole numbers.

    Attributes:
        outcomes: of feedback and predictions.
        refused: feedback that was not taken, by reason.
        unread: predictions that no label can join, by reason.
        ailments: how often the store failed, by what was wrong.
        quarantined: stores that were set aside.
        forgotten: predictions that fell to the bounds of the store.
        store_works: whether the last transaction was kept.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.refused = none_of(Refusal)
        self.unread = none_of(Unread)
        self.ailments: Counter[Ailment] = Counter()
        self.quarantined = self.forgotten = 0
        self.store_works = False
        self._lags = [0] * (len(LAG_EDGES_S) + 1)
        self._lag_s = 0.0

    def add(self, tally: Tally) -> None:
        """Count what a committed transaction did."""
        self.outcomes.update(tally.outcomes)
        self.refused.update(tally.refusals)
        for lag_s in tally.lags_s:
            self._lags[bisect_left(LAG_EDGES_S, lag_s)] += 1
            self._lag_s += lag_s

    def render(self, labels: Mapping[str, str], intake: Intake, clock_jumps: int) -> Iterator[str]:
        """The lines of these metrics; every series exists from the start."""
        refused, unread = self.refused + intake.refused, self.unread + intake.unread
        yield from _one(
            "model_labels_total", "Labels joined to their prediction.", labels, self.outcomes[Outcome.JOINED]
        )
        yield from self._render_lags(labels)
        yield from _by("model_feedback_total", "What became of feedback.", labels, "outcome", Outcome, self.outcomes)
        yield from _by("model_feedback_refused_total", "Feedback not taken.", labels, "reason", Refusal, refused)
        yield from _by("model_truth_unread_total", "Answers no label can join.", labels, "reason", Unread, unread)
        failures = "Transactions that the store failed."
        yield from _by("model_truth_store_failures_total", failures, labels, "ailment", Ailment, self.ailments)
        yield from _one("model_truth_store_quarantined_total", "Stores set aside.", labels, self.quarantined)
        yield from _one("model_truth_forgotten_total", "Predictions over the store's bounds.", labels, self.forgotten)
        yield from _one("model_truth_clock_jumps_total", "Steps of the clock followed.", labels, clock_jumps)
        yield from _gauge("model_truth_store_up", "Whether the store works.", labels, float(self.store_works))
        yield from _gauge("model_truth_waiting", "Predictions and feedback not yet stored.", labels, intake.waiting)

    def _render_lags(self, labels: Mapping[str, str]) -> Iterator[str]:
        yield header(LAG, "histogram", "From a prediction to its label.")
        below = list(accumulate(self._lags))
        edges = [*map(number, LAG_EDGES_S), "+Inf"]
        yield from lines([key(f"{LAG}_bucket", {**labels, "le": edge}) for edge in edges], below)
        yield from lines([key(f"{LAG}_sum", labels), key(f"{LAG}_count", labels)], [self._lag_s, below[-1]])


def _one(name: str, text: str, labels: Mapping[str, str], value: float) -> Iterator[str]:
    yield header(name, "counter", text)
    yield from lines([key(name, labels)], [value])


def _gauge(name: str, text: str, labels: Mapping[str, str], value: float) -> Iterator[str]:
    yield header(name, "gauge", text)
    yield from lines([key(name, labels)], [value])


def _by(
    name: str,
    text: str,
    labels: Mapping[str, str],
    label: str,
    kinds: type[Kind],
    counts: Mapping[Kind, int],
) -> Iterator[str]:
    yield header(name, "counter", text)
    keys = [key(name, {**labels, label: kind.value}) for kind in kinds]
    yield from lines(keys, [counts.get(kind, 0) for kind in kinds])
