"""Ground truth as the monitor sees it: predictions go in, feedback is answered, metrics come out."""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from alertdrill.monitor.failures import Failures
from alertdrill.monitor.truth.allowance import Allowance
from alertdrill.monitor.truth.check import Check
from alertdrill.monitor.truth.checking import Checking
from alertdrill.monitor.truth.clock import SteadyClock
from alertdrill.monitor.truth.feedback import Parsed, Refusal, parse
from alertdrill.monitor.truth.intake import Intake
from alertdrill.monitor.truth.keeper import Keeper
from alertdrill.monitor.truth.mail import Mailer
from alertdrill.monitor.truth.reading import Seen
from alertdrill.monitor.truth.settings import BadOptions, TruthSettings, open_post
from alertdrill.monitor.truth.sources import Headers, Place

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


class GroundTruth:
    """Everything about labels of one model. All but `stop` returns at once."""

    def __init__(
        self, settings: TruthSettings, labels: Mapping[str, str], environment: Mapping[str, str], failures: Failures
    ) -> None:
        """Take the store for this process, and start.

        Args:
            settings: of ground truth.
            labels: `model` and `version`, put on every series.
            environment: where the password of the e-mails may be.
            failures: where our own are counted.

        Raises:
            BadOptions: the store is not to be had, or the e-mails cannot be sent so.
        """
        post = open_post(settings, environment)
        self._lock = _claim(settings.store)
        self._settings, self._labels = settings, dict(labels)
        self._sources = settings.sources
        self._intake = Intake()
        self._allowance = Allowance()
        self._clock = SteadyClock()
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
        self._keeper = Keeper(settings, labels["version"], self._intake, self._clock, checking, failures)
        self._keeper.start()

    @property
    def path(self) -> bytes:
        """At which feedback is posted."""
        return self._settings.feedback_path.encode()

    def see(self, request: bytes, answer: bytes, request_headers: Headers, answer_headers: Headers) -> None:
        """Note an exchange in which the model predicted; it is read later."""
        need = self._sources.need
        self._intake.see(
            Seen(
                time.monotonic(),
                request if need(Place.REQUEST) else b"",
                answer if need(Place.ANSWER) else b"",
                request_headers if need(Place.REQUEST_HEADER) else (),
                answer_headers,
            )
        )

    def answer(self, body: bytes) -> Reply:
        """Take posted feedback: 202 if any was usable, 4xx if none was, 429 if there is no room or time for it."""
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

    def stop(self) -> None:
        """Write what waits, for a moment, and end."""
        self._keeper.stop(STOP_S)
        os.close(self._lock)


def _told(parsed: Parsed) -> dict[str, object]:
    told: dict[str, object] = {"accepted": len(parsed.items), "refused": parsed.refused}
    if parsed.mistakes:
        told["reasons"] = Counter(mistake.reason.value for mistake in parsed.mistakes)
        told["mistakes"] = [mistake._asdict() for mistake in parsed.mistakes[:MOST_MISTAKES_TOLD]]
    return told


def _claim(store: Path) -> int:
    """A file beside the store, locked for this process as long as it lives: two monitors would count each other's."""
    lock = Path(f"{store}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        fix = "name a file in a folder that exists and can be written to"
        raise BadOptions(f"--truth-store\n  {store}: {error.strerror}\n  fix: {fix}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        text = f"got {store}, which another monitor uses, expected a store of its own"
        raise BadOptions(f"--truth-store\n  {text}\n  fix: name another file, or end that monitor") from None
    return handle
