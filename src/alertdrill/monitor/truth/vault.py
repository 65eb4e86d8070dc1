"""Keeps a store open: waits for a locked one, sets a damaged one aside and starts anew, tries a failing one again."""

import logging
import time
from pathlib import Path

from alertdrill.monitor.truth.clock import SteadyClock
from alertdrill.monitor.truth.ledger import Ledger
from alertdrill.monitor.truth.store import Ailment, Store, UnusableStore, quarantine

RETRY_S = 1.0
LONGEST_RETRY_S = 30.0

_log = logging.getLogger(__name__)


class Vault:
    """The one store of a monitor, open or not."""

    def __init__(self, path: Path, patience_s: float, ledger: Ledger, clock: SteadyClock) -> None:
        """Not opened yet.

        Args:
            path: of the store.
            patience_s: seconds after which one that is locked is set aside.
            ledger: where failures are counted.
            clock: seconds since 1970.
        """
        self._patience_s = patience_s
        self._path, self._ledger, self._clock = path, ledger, clock
        self._store: Store | None = None
        self._retry_at = 0.0
        self._retry_s = RETRY_S
        self._ailing_since: float | None = None
        self._told: Ailment | None = None

    @property
    def ailing_s(self) -> float:
        """For how long the store has failed, in seconds."""
        return 0.0 if self._ailing_since is None else time.monotonic() - self._ailing_since

    def open(self) -> Store | None:
        """The store; None while it is not time to try it again, or it cannot be opened."""
        if time.monotonic() < self._retry_at:
            return None
        if self._store is not None and self._store.replaced:
            self.failed(UnusableStore(Ailment.FAILED, "the file was removed or replaced"))
        if self._store is None:
            try:
                self._store = Store(self._path)
            except (UnusableStore, OSError) as error:
                self.failed(error)
        return self._store

    def works(self) -> None:
        """A transaction was kept."""
        if self._ailing_since is not None:
            _log.warning("the store %s works again", self._path)
        self._ailing_since, self._told, self._retry_s = None, None, RETRY_S
        self._ledger.store_works = True

    def failed(self, error: UnusableStore | OSError) -> None:
        """A transaction was not kept: do what the ailment asks for."""
        ailment = error.ailment if isinstance(error, UnusableStore) else Ailment.FAILED
        self._ledger.ailments[ailment] += 1
        self._ledger.store_works = False
        if self._ailing_since is None:
            self._ailing_since = time.monotonic()
        if ailment is not self._told:
            _log.error("the store %s is %s: %s", self._path, ailment, error)
            self._told = ailment
        if ailment is Ailment.CORRUPT or (ailment is Ailment.LOCKED and self.ailing_s > self._patience_s):
            self._set_aside()
            return
        self._retry_at = time.monotonic() + self._retry_s
        if ailment is Ailment.FAILED:
            self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
            self.close()

    def close(self) -> None:
        """Close the store, if it is open."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _set_aside(self) -> None:
        self.close()
        self._retry_at = time.monotonic() + RETRY_S  # should the new one be as bad: not as fast as can be
        try:
            aside = quarantine(self._path, self._clock.now())
        except OSError as error:
            _log.error("the store %s could not be set aside: %s", self._path, error)
            return
        self._ledger.quarantined += 1
        self._ailing_since = time.monotonic()  # what waits is not given up before the new store was tried
        _log.error("the store %s was set aside as %s, and a new one begun", self._path, aside.name)
