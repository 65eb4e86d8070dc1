"""Sends e-mails by SMTP, in a thread of its own: a server that hangs holds up nothing else."""

import logging
import queue
import smtplib
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from enum import StrEnum
from typing import NamedTuple

from alertdrill.monitor.truth.check import Letter
from alertdrill.monitor.truth.checks import Due

TIMEOUT_S = 20.0

_log = logging.getLogger(__name__)


class Security(StrEnum):
    """How the connection to the server is kept secret."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"  # from the first byte, usually on port 465


@dataclass(frozen=True)
class Post:
    """How e-mails are sent.

    Attributes:
        host: of the SMTP server.
        port: of it.
        security: of the connection.
        context: how a server with TLS is checked.
        sender: address that they come from.
        recipients: addresses that they go to.
        user: to log in as; None: not at all.
        password: of that user.
    """

    host: str
    port: int
    security: Security
    context: ssl.SSLContext
    sender: str
    recipients: tuple[str, ...]
    user: str | None = None
    password: str = field(default="", repr=False)


def compose(post: Post, letter: Letter) -> EmailMessage:
    """The message; its Message-ID is the same whenever it is sent, so that a repeat can be told."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = post.sender
    message["To"] = ", ".join(post.recipients)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{letter.identity}.{post.sender}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def send(post: Post, letter: Letter) -> None:
    """Send it now, at most `TIMEOUT_S` for each step.

    Raises:
        OSError: no connection, no TLS, or the server refused (smtplib.SMTPException is one).
    """
    made = (
        smtplib.SMTP_SSL(post.host, post.port, timeout=TIMEOUT_S, context=post.context)
        if post.security is Security.TLS
        else smtplib.SMTP(post.host, post.port, timeout=TIMEOUT_S)
    )
    with made as server:
        if post.security is Security.STARTTLS:
            server.starttls(context=post.context)
        if post.user is not None:
            server.login(post.user, post.password)
        refused = server.send_message(compose(post, letter))
    if refused:
        _log.warning("%d of %d recipients were refused by %s", len(refused), len(post.recipients), post.host)


class Result(NamedTuple):
    """What became of a letter."""

    letter: Due
    sent: bool


class Mailer:
    """Sends one letter at a time."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._jobs: queue.SimpleQueue[Due] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._busy = False
        threading.Thread(target=self._run, name="truth-mail", daemon=True).start()

    @property
    def idle(self) -> bool:
        """Whether there is no letter under way, nor one whose result has not been taken."""
        return not self._busy

    def offer(self, letter: Due) -> None:
        """Send a letter; only to be called while idle."""
        self._busy = True
        self._jobs.put(letter)

    def result(self) -> Result | None:
        """What became of the letter, once."""
        try:
            return self._results.get_nowait()
        except queue.Empty:
            return None

    def settle(self) -> None:
        """The result is kept: the next letter may come."""
        self._busy = False

    def _run(self) -> None:
        while True:
            letter = self._jobs.get()
            sent = self._send(letter)
            self._results.put(Result(letter, sent))

    def _send(self, letter: Due) -> bool:
        try:
            send(self._post, letter.letter)
        except Exception as error:  # noqa: BLE001 - whatever a server provokes, the letter is tried again
            where = f"{self._post.host}:{self._post.port}"
            _log.error("an e-mail could not be sent by %s (%s: %s)", where, type(error).__name__, str(error)[:200])
            return False
        return True
