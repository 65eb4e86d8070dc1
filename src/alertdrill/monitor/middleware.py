"""The ASGI middleware that watches a model inside its own app: notes what passes, and answers `GET /metrics`."""

import asyncio
import atexit
import os
import time
from collections.abc import Awaitable
from typing import Any

from alertdrill.asgi import App, Message, Receive, Scope, Send, respond
from alertdrill.drift.e_detector import UPDATE_S
from alertdrill.monitor.account import NOTES_AT_A_TIME
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.bodies import Malformed
from alertdrill.monitor.clock import WallClock
from alertdrill.monitor.exposition import CONTENT_TYPE
from alertdrill.monitor.notes import Failure, Note
from alertdrill.monitor.settings import Books, read_settings
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES

METRICS_PATH = "/metrics"
CLIENT_CLOSED_REQUEST = 499
APP_FAILED = 500

_now = time.perf_counter


class Monitor:
    """Watches the endpoint that predicts. Requests and answers pass as they are; nothing is parsed before they have.

    Counting happens some ten times a second on the app's own event loop (asyncio or uvloop), in slices of less than a
    millisecond, and once more at each scrape.

    Args:
        app: the ASGI app, or the next middleware.
        metrics_path: where `GET` is answered with the metrics; None: nowhere, for an app that mounts `metrics`.
        settings: those of `alertdrill.monitor.settings.Settings`; `schema` and `reference` are needed. `model_pid` is
            this process.

    Attributes:
        failures: the monitor's own.

    Raises:
        BadSettings: settings that cannot be used; the text says how to fix each.
        BadFile: a file that cannot be used.
    """

    def __init__(self, app: App, *, metrics_path: str | None = METRICS_PATH, **settings: Any) -> None:
        books = Books(read_settings({"model_pid": os.getpid(), **settings}))
        self._app = app
        self._account, self._system = books.account, books.system
        self._path, self._metrics_path = books.schema.path, metrics_path
        self.failures = books.account.failures
        self._clock = WallClock()
        self._loop: asyncio.AbstractEventLoop | None = None  # in which a fold is due
        atexit.register(self._account.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        root = scope.get("root_path")
        if root:
            path = path.removeprefix(root)
        if path == self._path and scope["method"] == "POST":
            await self._watch(scope, receive, send)
        elif path == self._metrics_path and scope["method"] == "GET":
            await self.metrics(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(self, scope, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.failed(isinstance(error, asyncio.CancelledError))
            raise
        if not exchange.noted:
            exchange.unanswered()

    def take(self, note: Note) -> None:
        """Note an exchange, and have it counted soon."""
        self._account.note(note)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            loop.call_later(UPDATE_S, self._fold, loop)

    def _fold(self, loop: asyncio.AbstractEventLoop) -> None:
        account = self._account
        with account.failures:
            account.fold(NOTES_AT_A_TIME)
        if account.waiting:
            loop.call_soon(self._fold, loop)  # whoever else has something to do comes first
            return
        self._loop = None
        self._update()

    def _update(self) -> None:
        account = self._account
        account.clock_jumps += self._clock.jumped()
        with account.failures:
            account.update(time.time())

    async def metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the metrics: an ASGI app of its own, to be mounted elsewhere."""
        if self._system is not None and self._system.due:
            with self._account.failures:
                await asyncio.to_thread(self._system.sample)
        status, kind, text = 500, b"text/plain", b"the monitor could not write its metrics\n"
        with self._account.failures:
            if self._loop is None:
                self._update()
            status, kind, text = 200, CONTENT_TYPE, self._account.scrape()
        await respond(send, status, text, [(b"content-type", kind)])


class _Exchange:
    """One request on its way through the app. What an app does wrong in it is between app and server."""

    __slots__ = (
        "_answer",
        "_answer_headers",
        "_answer_size",
        "_body",
        "_body_size",
        "_code",
        "_left",
        "_monitor",
        "_more_answer",
        "_more_body",
        "_receive",
        "_received_at",
        "_scope",
        "_send",
        "_whole",
        "noted",
    )

    def __init__(self, monitor: Monitor, scope: Scope, receive: Receive, send: Send) -> None:
        self._monitor, self._scope, self._receive, self._send = monitor, scope, receive, send
        self._received_at = _now()
        self._body = b""
        self._more_body: list[bytes] | None = None  # pieces after the first, few enough to be kept
        self._body_size = 0
        self._answer: bytes | BadAnswer | None = b""
        self._more_answer: list[bytes] | None = None
        self._answer_size = 0
        self._answer_headers: Any = ()
        self._code = 0
        self._whole = self._left = self.noted = False

    async def receive(self) -> Message:
        """The next message, for the app; its piece of the body is kept."""
        message = await self._receive()
        if message["type"] == "http.request":
            piece = message.get("body", b"")
            if self._body_size:
                self._keep_more(piece)
            else:
                self._body = piece
            self._body_size += len(piece)
            if not message.get("more_body", False):
                self._whole = True
                self._received_at = _now()
        else:
            self._left = True
        return message

    def _keep_more(self, piece: bytes) -> None:
        if self._body_size <= LARGEST_BODY_BYTES:
            if self._more_body is None:
                self._more_body = []
            self._more_body.append(piece)

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on; the last one of an answer has the exchange noted."""
        kind = message["type"]
        if kind == "http.response.body":
            piece = message.get("body", b"")
            if self._answer_size:
                self._keep_more_answer(piece)
            else:
                self._answer = piece
            self._answer_size += len(piece)
            if not message.get("more_body", False):
                self._note(self._code, True, None)
        elif kind == "http.response.start":
            self._code = message["status"]
            self._answer_headers = message.get("headers", ())
        elif kind == "http.response.pathsend":
            self._answer = None
            self._note(self._code, True, None)
        return self._send(message)

    def _keep_more_answer(self, piece: bytes) -> None:
        if self._answer_size <= LARGEST_BODY_BYTES:
            if self._more_answer is None:
                self._more_answer = []
            self._more_answer.append(piece)

    def failed(self, cancelled: bool) -> None:
        """The app raised, or was cancelled because its client had left."""
        if self.noted:
            return
        if cancelled or self._left:
            self._note(CLIENT_CLOSED_REQUEST, False, Failure.CLIENT_GONE)
        else:
            self._note(APP_FAILED, False, Failure.RAISED)

    def unanswered(self) -> None:
        """The app returned without a whole answer."""
        if self._left:
            self._note(CLIENT_CLOSED_REQUEST, False, Failure.CLIENT_GONE)
        else:
            self._note(APP_FAILED, False, Failure.RESET)

    def _note(self, code: int, answered: bool, failure: Failure | None) -> None:
        if self.noted:
            return
        self.noted = True
        body: bytes | Malformed = self._body
        if not self._whole:
            body = Malformed.INCOMPLETE
        elif self._body_size > LARGEST_BODY_BYTES:
            body = Malformed.TOO_LARGE
        elif self._more_body is not None:
            body = b"".join([self._body, *self._more_body])
        answer = self._answer
        if self._answer_size > LARGEST_BODY_BYTES:
            answer = BadAnswer.TOO_LARGE
        elif self._more_answer is not None and isinstance(answer, bytes):
            answer = b"".join([answer, *self._more_answer])
        headers = self._scope["headers"]
        duration_s = _now() - self._received_at
        try:
            self._monitor.take(
                Note(code, duration_s, answered, body, answer, time.time(), headers, self._answer_headers, failure)
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the exchange must not meet it
            self._monitor.failures.take(error)
