"""Whether a phase may end early: two evaluations after every expected alert has fired and notified."""

from collections.abc import Mapping

from alertdrill.core.notification import reaches
from alertdrill.core.scenario import Expectation, Phase
from alertdrill.core.scope import expects
from alertdrill.core.witness import is_of
from alertdrill.run.ports import Journal
from alertdrill.run.watch import Watch


class Decided:
    """Watches the expectations of one phase that are worth waiting for.

    Not worth it are alerts that are not loaded, and those that were active before the drill. A phase that expects
    nothing has nothing to decide: it lasts in full.
    """

    def __init__(self, phase: Phase, started_at: float, watch: Watch, journal: Journal, interval_s: float) -> None:
        self._phase, self._started_at, self._interval_s = phase, started_at, interval_s
        self._watch, self._journal = watch, journal
        self._at: float | None = None

    def look(self) -> bool:
        """Whether the phase may end now."""
        if self._phase.end_when != "decided" or not self._phase.faults or not self._phase.expect:
            return False
        now = self._watch.clock.now()
        if self._at is None and now > self._started_at and all(self._met(e) for e in self._awaited()):
            self._at = now
        return self._at is not None and now - self._at >= 2 * self._interval_s

    def _awaited(self) -> list[Expectation]:
        excused = [dict(key) for key in self._watch.excused]
        return [
            expectation
            for expectation in self._phase.expect
            if self._watch.loads(expectation.alert) and not any(expects(expectation, labels) for labels in excused)
        ]

    def _met(self, expectation: Expectation) -> bool:
        return any(
            at >= self._started_at and expects(expectation, dict(key)) and self._notified(expectation, dict(key))
            for key, at in self._watch.firing_since.items()
        )

    def _notified(self, expectation: Expectation, alert: Mapping[str, str]) -> bool:
        if expectation.notifies is None:
            return True
        level, receiver = self._watch.plan.scenario.monitoring.level, expectation.notifies.receiver
        return any(
            notice.at >= self._started_at and is_of(alert, notice.labels) and reaches(notice, level, receiver)
            for notice in self._journal.notices
        )
