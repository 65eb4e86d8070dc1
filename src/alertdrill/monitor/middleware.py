"""The ASGI middleware that watches a model inside its own app: notes what passes, and answers `GET /metrics`."""

import asyncio
import atexit
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from alertdrill.asgi import App, Message, Receive, Scope, Send, header, respond
from alertdrill.drift.e_detector import UPDATE_S
from alertdrill.monitor.account import NOTES_AT_A_TIME
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.books import Books
from alertdrill.monitor.clock import WallClock
from alertdrill.monitor.exposition import CONTENT_TYPE, METRICS_PATH
from alertdrill.monitor.notes import Failure, Headers, Note, note_of
from alertdrill.monitor.page.asgi_endpoint import given
from alertdrill.monitor.page.document import Answer
from alertdrill.monitor.page.page import Page
from alertdrill.monitor.settings import read_settings
from alertdrill.monitor.truth.asgi_endpoint import FeedbackEndpoint
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES
from alertdrill.protocols.malformed import Malformed

CLIENT_CLOSED_REQUEST = 499
APP_FAILED = 500
FAILED_TO_WRITE = b"the monitor could not write its numbers\n"

_now = time.perf_counter
_wall = time.time


class Monitor:
    """Watches the endpoint that predicts. Requests and answers pass as they are; nothing is parsed before they have.

    Counting happens some ten times a second on the app's own event loop (asyncio or uvloop), in slices of a millisecond
    or two, and once more at each scrape.

    Args:
        app: the ASGI app, or the next middleware.
        metrics_path: where `GET` is answered with the metrics; None: nowhere, for an app that mounts `metrics`.
        settings: those of `alertdrill.monitor.settings.Settings`; `schema` and `reference` are needed. `model_pid` is
            this process.

    Raises:
        BadSettings: settings that cannot be used; the text says how to fix each.
        BadFile: a file that cannot be used.
    """

    def __init__(self, app: App, *, metrics_path: str | None = METRICS_PATH, **settings: Any) -> None:
        books = Books(read_settings({"model_pid": os.getpid(), **settings}))
        self._app = app
        self._account, self._system, self._page = books.account, books.system, books.page
        self._path, self._metrics_path = books.schema.path, metrics_path
        self._feedback = FeedbackEndpoint(books.truth, books.account.failures) if books.truth is not None else None
        self._clock = WallClock()
        self._loop: asyncio.AbstractEventLoop | None = None  # in which a fold is due
        atexit.register(self._account.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if root := scope.get("root_path"):
            path = path.removeprefix(root)
        if path == self._path and scope["method"] == "POST":
            exchange = _Exchange(self._take, scope, receive, send)
            try:
                await self._app(scope, exchange.receive, exchange.send)
            except BaseException as error:
                exchange.failed(isinstance(error, asyncio.CancelledError))
                raise
            if not exchange.noted:
                exchange.unanswered()
        elif path == self._metrics_path and scope["method"] == "GET":
            await self.metrics(scope, receive, send)
        elif self._feedback is not None and path == self._feedback.path and scope["method"] == "POST":
            await self._feedback(scope, receive, send)
        elif self._page is not None and scope["method"] == "GET" and self._page.has(path):
            await self._show(self._page, path, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _show(self, page: Page, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser, or leave it to the app."""
        answer: Answer | None = Answer(500, (), FAILED_TO_WRITE)
        with self._account.failures:
            if path == page.data_path:
                await self._freshen()
            answer = page.answer(path, header(scope, b"accept") or b"")
        await given(answer, self._app, scope, receive, send)

    def _take(self, note: Note) -> None:
        """Note an exchange, and have it counted soon; what fails in that does not reach the exchange."""
        try:
            self._account.note(note)
            if self._loop is None or self._loop.is_closed():
                self._loop = loop = asyncio.get_running_loop()
                loop.call_later(UPDATE_S, self._fold, loop)
        except Exception as error:  # noqa: BLE001 - as above
            self._account.failures.take(error)

    def _fold(self, loop: asyncio.AbstractEventLoop, left: int | None = None) -> None:
        """Count what waits, in slices; what comes meanwhile waits for the next time, as small slices cost more."""
        account = self._account
        left = account.waiting if left is None else left
        account.fold(NOTES_AT_A_TIME)
        if left > NOTES_AT_A_TIME:
            loop.call_soon(self._fold, loop, left - NOTES_AT_A_TIME)  # whoever else has something to do comes first
            return
        self._update()
        self._loop = loop if account.waiting else None
        if account.waiting:
            loop.call_later(UPDATE_S, self._fold, loop)

    def _update(self) -> None:
        account = self._account
        account.clock_jumps += self._clock.jumped()
        with account.failures:
            account.update(time.time())

    async def metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the metrics: an ASGI app of its own, to be mounted elsewhere."""
        status, kind, text = 500, b"text/plain", FAILED_TO_WRITE
        with self._account.failures:
            await self._freshen()
            status, kind, text = 200, CONTENT_TYPE, self._account.scrape()
        await respond(send, status, text, [(b"content-type", kind)])

    async def _freshen(self) -> None:
        """Bring up to date what is looked at only when somebody asks."""
        if self._system is not None:
            with self._account.failures:
                await self._system.freshen()
        if self._loop is None:
            self._update()


class _Exchange:
    """One request on its way through the app. What an app does wrong in it is between app and server.

    Class attributes stand for what most requests never set.
    """

    noted = False
    _code = 0
    _body = b""
    _answer = b""
    _answer_headers: Headers = ()
    _whole = _left = _by_path = False
    _pieces: "_Pieces | None" = None  # of a body that comes in several
    _answer_pieces: "_Pieces | None" = None

    def __init__(self, take: Callable[[Note], None], scope: Scope, receive: Receive, send: Send) -> None:
        self._take, self._scope, self._receive, self._send = take, scope, receive, send
        self._received_at = _now()

    async def receive(self) -> Message:
        """The next message, for the app; its piece of the body is kept."""
        message = await self._receive()
        if message["type"] == "http.request":
            piece, more = message.get("body", b""), message.get("more_body", False)
            if self._pieces is not None:
                self._pieces.add(piece)
            elif more:
                self._pieces = _Pieces(piece)
            else:
                self._body = piece
            if not more:
                self._whole = True
                self._received_at = _now()
        else:
            self._left = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on; the last one of an answer has the exchange noted."""
        kind = message["type"]
        if kind == "http.response.start":
            self._code, self._answer_headers = message["status"], message.get("headers", ())
        elif kind == "http.response.body":
            piece, more = message.get("body", b""), message.get("more_body", False)
            if self._answer_pieces is not None:
                self._answer_pieces.add(piece)
            elif more:
                self._answer_pieces = _Pieces(piece)
            else:
                self._answer = piece
            if not more:
                self._note(self._code, True, None)
        elif kind == "http.response.pathsend":
            self._by_path = True
            self._note(self._code, True, None)
        return self._send(message)

    def failed(self, cancelled: bool) -> None:
        """The app raised, or was cancelled because its client had left."""
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
        elif self._pieces is not None:
            body = self._pieces.joined()
        if len(body) > LARGEST_BODY_BYTES:
            body = Malformed.TOO_LARGE
        answer: bytes | BadAnswer | None = self._answer
        if self._by_path:
            answer = None
        elif self._answer_pieces is not None:
            answer = self._answer_pieces.joined()
        if answer is not None and len(answer) > LARGEST_BODY_BYTES:
            answer = BadAnswer.TOO_LARGE
        duration_s, headers = _now() - self._received_at, self._scope["headers"]
        self._take(
            note_of((code, duration_s, answered, body, answer, _wall(), headers, self._answer_headers, failure, None))
        )


class _Pieces:
    """A body in pieces; none is kept after it has become too large."""

    def __init__(self, first: bytes) -> None:
        self._pieces, self._size = [first], len(first)

    def add(self, piece: bytes) -> None:
        if self._size <= LARGEST_BODY_BYTES:
            self._pieces.append(piece)
            self._size += len(piece)

    def joined(self) -> bytes:
        """The whole; of one that is too large only as much as shows it."""
        return b"".join(self._pieces)
