"""The thread that owns the store: writes what waits, reads the feedback log, forgets, measures, checks."""

import sys
import threading
import time
from collections.abc import Iterator, Mapping

from alertdrill.monitor.failures import Failures
from alertdrill.monitor.truth.batch import Batch, take
from alertdrill.monitor.truth.checking import Checking
from alertdrill.monitor.truth.chores import Chore, Chores
from alertdrill.monitor.truth.clock import SteadyClock
from alertdrill.monitor.truth.feedback_log import FeedbackLog
from alertdrill.monitor.truth.intake import Intake
from alertdrill.monitor.truth.joining import Joiner, Outcome
from alertdrill.monitor.truth.kpis import parse_kpi
from alertdrill.monitor.truth.ledger import Ledger
from alertdrill.monitor.truth.measuring import measure
from alertdrill.monitor.truth.report import nothing_known, render
from alertdrill.monitor.truth.retention import Retention
from alertdrill.monitor.truth.settings import TruthSettings
from alertdrill.monitor.truth.store import Store, UnusableStore
from alertdrill.monitor.truth.vault import Vault

IDLE_S = 0.1
FORGET_S = 1.0
SHARE = 3  # times as long as a full batch took passes before the next
SWITCH_S = 0.0005  # for so long at most the event loop waits for this thread to let go of the interpreter
REST = 20  # times as long as measuring took passes before it is done again
LATE_S = 60.0


class Keeper(threading.Thread):
    """Runs until it is told to stop, then writes what still waits. No failure ends it."""

    def __init__(
        self,
        settings: TruthSettings,
        version: str,
        intake: Intake,
        clock: SteadyClock,
        checking: Checking | None,
        failures: Failures,
    ) -> None:
        """Not started yet.

        Args:
            settings: of ground truth.
            version: of the model, where an answer does not tell.
            intake: what waits.
            clock: seconds since 1970.
            checking: of the accuracy; None: no check.
            failures: where our own are counted.
        """
        super().__init__(name="truth", daemon=True)
        self._settings, self._version, self._intake, self._clock = settings, version, intake, clock
        self._checking = checking
        self._ledger = Ledger()
        self._vault = Vault(settings.store, settings.patience_s, self._ledger, clock)
        self._retention = Retention(settings.rows, settings.keep_s, settings.early_s)
        self._kpis = [parse_kpi(text, settings.task) for text in settings.kpis]
        self._reserved = {kpi.name for kpi in self._kpis}
        self._log = FeedbackLog(settings.feedback_log, settings.task, self._ledger) if settings.feedback_log else None
        self._batch = Batch()
        self._told_to_stop = threading.Event()
        self._report = nothing_known([name for name, _ in settings.windows], version, clock.now())
        self._known_until = 0.0
        self._failures = failures
        chores = [Chore(self._forget, FORGET_S), Chore(self._measure, settings.every_s, REST)]
        check = [] if checking is None else [Chore(checking.step, every_s=0.0)]
        self._chores = Chores([*chores, *check], settings.every_s, failures)

    def run(self) -> None:
        """Work, and rest for longer: the event loop shares the interpreter."""
        sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
        while not self._told_to_stop.is_set():
            started = time.monotonic()
            more = False
            with self._failures:
                more = self._step()
            took = time.monotonic() - started
            self._told_to_stop.wait(min(SHARE * took, IDLE_S) if more else IDLE_S)
        with self._failures:
            while self._step(last=True):
                pass
        self._vault.close()
        if self._log is not None:
            self._log.close()

    def stop(self, timeout_s: float) -> None:
        """Write what waits and end, in at most so many seconds; what is not written then is lost."""
        self._told_to_stop.set()
        self.join(timeout_s)

    def render(self, labels: Mapping[str, str]) -> Iterator[str]:
        """The lines of all metrics of ground truth."""
        known = self._ledger.store_works and time.monotonic() < self._known_until
        yield from self._ledger.render(labels, self._intake, self._clock.jumps)
        yield from render(self._report, labels, known)
        if self._checking is not None:
            yield from self._checking.render(labels)

    def _step(self, last: bool = False) -> bool:
        """Do what is due; whether more is likely to wait."""
        now = self._clock.now()
        if not self._batch:
            self._batch = take(self._intake, now)
        store = self._vault.open()
        more = self._batch.full
        if store is None:
            self._give_up_in_time()
            return False
        try:
            more |= self._write(store, now)
            if not last:
                self._chores.do(store, now)
        except UnusableStore as error:
            self._vault.failed(error)
            self._give_up_in_time()
            return False
        except Exception:
            self._batch.give_up(self._ledger)  # or it would fail again for ever
            if self._log is not None:
                self._log.give_up()
            raise
        return more

    def _give_up_in_time(self) -> None:
        if self._vault.ailing_s > 2 * self._settings.patience_s:
            self._batch.give_up(self._ledger)

    def _write(self, store: Store, now: float) -> bool:
        """Write the batch and the next of the log; whether the log held anything."""
        items = []
        try:
            with store.transaction() as db:
                joiner = Joiner(db, now, self._settings.share, self._reserved)
                joiner.predictions(self._batch.predictions)
                joiner.feedback(self._batch.feedback)
                if self._log is not None:
                    items = self._log.read(db)
                    joiner.feedback(items)
        except BaseException:
            if self._log is not None:
                self._log.not_kept()
            raise
        self._batch = Batch()
        self._ledger.add(joiner.tally)
        if self._log is not None:
            self._log.kept()
        self._vault.works()
        return bool(items)

    def _forget(self, store: Store, now: float) -> None:
        with store.transaction() as db:
            in_vain, forgotten = self._retention.apply(db, now)
        self._ledger.outcomes[Outcome.UNKNOWN] += in_vain
        self._ledger.forgotten += forgotten

    def _measure(self, store: Store, now: float) -> None:
        """What is measured holds until two turns were missed, five of quick ones, and a minute at least."""
        started = time.monotonic()
        with store.reading() as db:
            self._report = measure(db, self._settings, self._version, self._kpis, now)
        ended = time.monotonic()
        every_s = self._settings.every_s
        self._known_until = ended + max(LATE_S, 5 * every_s, 2 * REST * (ended - started))
