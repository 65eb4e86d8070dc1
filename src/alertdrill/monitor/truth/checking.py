"""Runs the accuracy check: judges each period once, and sends what is to be sent until that succeeds."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping

from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.truth import checks
from alertdrill.monitor.truth.check import Check, Verdict, judge, write
from alertdrill.monitor.truth.mail import Mailer, Result
from alertdrill.monitor.truth.measuring import measure_period
from alertdrill.monitor.truth.settings import TruthSettings
from alertdrill.monitor.truth.store import Store

_log = logging.getLogger(__name__)


class Checking:
    """The check of one model. All state is in the store; what is counted here begins at 0 with each start."""

    def __init__(self, check: Check, settings: TruthSettings, mailer: Mailer) -> None:
        self._check, self._settings, self._mailer = check, settings, mailer
        self._result: Result | None = None
        self._verdicts: Counter[Verdict] = Counter()
        self._mails = {"sent": 0, "failed": 0, "given_up": 0}
        self._unsent = 0
        self._last: Verdict | None = None

    def step(self, store: Store, now: float) -> None:
        """Judge a period that has ended, take a letter's result, send one that is due.

        Raises:
            UnusableStore: the store failed; the next step does again what was not kept.
        """
        self._keep_result(store, now)
        with store.reading() as db:
            judged = checks.last_end(db)
            letter = checks.due(db, now) if self._mailer.idle else None
            self._unsent, self._last = checks.unsent(db), checks.last_verdict(db)
        if letter is not None:
            self._mailer.offer(letter)
        if judged is None or abs(now - judged) >= self._check.every_s:
            self._judge(store, now)

    def _judge(self, store: Store, now: float) -> None:
        verdict, given_up = None, 0
        with store.transaction() as db:
            span = checks.period_to_judge(db, self._check.every_s, now)
            if span is not None:
                measured = measure_period(db, self._settings, self._check, span)
                verdict = judge(self._check, measured)
                given_up = checks.record(db, span, verdict, write(self._check, measured), now)
        if verdict is not None:
            self._verdicts[verdict] += 1
            self._mails["given_up"] += given_up
            _log.warning("the %s check of %s: %s", self._check.metric, self._check.model, verdict)

    def _keep_result(self, store: Store, now: float) -> None:
        self._result = self._result or self._mailer.result()
        if self._result is not None:
            with store.transaction() as db:
                checks.attempted(db, self._result.letter, self._result.sent, now)
            self._mails["sent" if self._result.sent else "failed"] += 1
            self._result = None
            self._mailer.settle()

    def render(self, labels: Mapping[str, str]) -> Iterator[str]:
        """The lines of these metrics."""
        yield header("model_accuracy_checks_total", "counter", "Periods judged, by verdict.")
        keys = [key("model_accuracy_checks_total", {**labels, "verdict": verdict.value}) for verdict in Verdict]
        yield from lines(keys, [self._verdicts[verdict] for verdict in Verdict])
        yield header("model_accuracy_check_state", "gauge", "Verdict on the last period (1); all 0 before the first.")
        keys = [key("model_accuracy_check_state", {**labels, "verdict": verdict.value}) for verdict in Verdict]
        yield from lines(keys, [float(verdict is self._last) for verdict in Verdict])
        yield header("model_accuracy_check_threshold", "gauge", "What the check compares with.")
        threshold = key("model_accuracy_check_threshold", {**labels, "metric": self._check.metric.value})
        yield from lines([threshold], [self._check.threshold])
        yield header("model_accuracy_check_mails_total", "counter", "E-mails of the check; failed: attempts.")
        keys = [key("model_accuracy_check_mails_total", {**labels, "result": result}) for result in self._mails]
        yield from lines(keys, self._mails.values())
        yield header("model_accuracy_check_mails_unsent", "gauge", "E-mails of the check that wait to be sent.")
        yield from lines([key("model_accuracy_check_mails_unsent", labels)], [self._unsent])
