"""Ground truth as the monitor sees it: predictions go in, feedback is answered, metrics come out."""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from alertdrill.monitor.bad_settings import BadSettings, Mistake, named
from alertdrill.monitor.failures import Failures
from alertdrill.monitor.notes import Batch, Taker
from alertdrill.monitor.truth.allowance import Allowance
from alertdrill.monitor.truth.check import Check
from alertdrill.monitor.truth.checking import Checking
from alertdrill.monitor.truth.clock import SteadyClock
from alertdrill.monitor.truth.feedback import Parsed, Refusal, parse
from alertdrill.monitor.truth.intake import Intake
from alertdrill.monitor.truth.keeper import Keeper
from alertdrill.monitor.truth.mail import Mailer
from alertdrill.monitor.truth.reading import Reader, Sources, Unread
from alertdrill.monitor.truth.settings import TruthSettings, open_post

STOP_S = 0.4
MOST_MISTAKES_TOLD = 10
STATUS = {Refusal.TOO_LARGE: 413, Refusal.TOO_MANY: 413, Refusal.BAD_ENCODING: 400, Refusal.BAD_JSON: 400}
JSON = ((b"content-type", b"application/json"),)


class Reply(NamedTuple):
    """An answer to feedback: status, headers, body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


TOO_MUCH = Reply(
    429, (*JSON, (b"retry-after", b"1")), b'{"accepted":0,"error":"too much feedback at once; send it again later"}'
)
FAILED = Reply(500, JSON, b'{"accepted":0,"error":"the monitor could not take it; the model is well"}')
ELSEWHERE = Reply(503, JSON, b'{"accepted":0,"error":"the store belongs to another process; send it to that one"}')


class GroundTruth(Taker):
    """Everything about labels of one model. All but `close` returns at once."""

    def __init__(
        self,
        settings: TruthSettings,
        sources: Sources,
        labels: Mapping[str, str],
        environment: Mapping[str, str],
        failures: Failures,
    ) -> None:
        """Take the store for this process, and start.

        Args:
            settings: of ground truth.
            sources: where an exchange holds what is joined.
            labels: `model` and `version`, put on every series.
            environment: where the password of the e-mails may be.
            failures: where our own are counted.

        Raises:
            BadSettings: the store is not to be had, or the e-mails cannot be sent so.
        """
        post = open_post(settings, environment)
        self._lock: int | None = _claim(settings.store)
        self._settings, self._labels = settings, dict(labels)
        self._reader = Reader(sources, settings.task, labels["version"])
        self._intake = Intake()
        self._allowance = Allowance()
        checking = None
        if post is not None and settings.check_every_s is not None and settings.check_threshold is not None:
            check = Check(
                labels["model"],
                settings.check_every_s,
                settings.check_metric,
                settings.check_threshold,
                settings.check_least,
                settings.runbook_url,
            )
            checking = Checking(check, settings, Mailer(post))
        self._keeper = Keeper(settings, labels["version"], self._intake, SteadyClock(), checking, failures)
        self._keeper.start()

    @property
    def path(self) -> bytes:
        """At which feedback is posted."""
        return self._settings.feedback_path.encode()

    def take(self, batch: Batch) -> None:
        """Queue the predictions of some exchanges for the store."""
        for found in self._reader.read(batch, time.time(), time.monotonic()):
            if isinstance(found, Unread):
                self._intake.unread[found] += 1
            else:
                self._intake.see(found)

    def answer(self, body: bytes) -> Reply:
        """Take posted feedback: 202 if any was usable, 4xx if none was, 429 if there is no room or time for it.

        A process that was forked from the one that took the store has no thread to write to it: 503.
        """
        if not self._keeper.is_alive():
            return ELSEWHERE
        if not self._intake.room(len(body)) or not self._allowance.left():
            self._intake.refused[Refusal.QUEUE_FULL] += 1
            return TOO_MUCH
        started = time.monotonic()
        parsed = parse(body, self._settings.task)
        self._intake.refused.update(mistake.reason for mistake in parsed.mistakes)
        if parsed.items:
            self._intake.post(parsed.items, len(body))
        self._allowance.spend_since(started)
        status = 202 if parsed.items or not parsed.mistakes else STATUS.get(parsed.mistakes[0].reason, 422)
        return Reply(status, JSON, orjson.dumps(_told(parsed)))

    def render(self) -> Iterator[str]:
        """The lines of all metrics of ground truth."""
        yield from self._keeper.render(self._labels)

    def close(self) -> None:
        """Write what waits, for a moment, and end."""
        self._keeper.stop(STOP_S)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _told(parsed: Parsed) -> dict[str, object]:
    told: dict[str, object] = {"accepted": len(parsed.items), "refused": parsed.refused}
    if parsed.mistakes:
        told["reasons"] = Counter(mistake.reason.value for mistake in parsed.mistakes)
        told["mistakes"] = [mistake._asdict() for mistake in parsed.mistakes[:MOST_MISTAKES_TOLD]]
    return told


def _claim(store: Path) -> int:
    """A file beside the store, locked for this process as long as it lives: two monitors would count each other's."""
    lock, where = Path(f"{store}.lock"), named("truth_store")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        fix = "name a file in a folder that exists and can be written to"
        raise BadSettings(Mistake(where, f"{store}: {error.strerror}", fix)) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        what = f"got {store}, which another monitor uses, expected a store of its own"
        raise BadSettings(Mistake(where, what, "name another file, or end that monitor")) from None
    return handle
