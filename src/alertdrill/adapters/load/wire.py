"""One keep-alive HTTP/1.1 connection whose callbacks run in gevent's hub: no greenlet a request."""

import errno
import re
import socket
from typing import Any, NamedTuple, Protocol

import httptools
from gevent import monkey
from gevent.hub import get_hub

from alertdrill.adapters.load.answers import LARGEST_READ_BYTES, is_chosen, is_readable
from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.request import Failure, Request

READ, WRITE = 1, 2
READ_BYTES = 1 << 14
MAX_ANSWER_BYTES = 8 << 20
MAX_HEAD_BYTES = 1 << 16
HEAD_END = b"\r\n\r\n"
MOST_HEADS = 64

Address = tuple[int, tuple[str | int | bytes, ...]]
"""Address family, and the socket address in its form."""

_plain_socket: type[socket.socket] = monkey.get_original("socket", "socket")  # the hub watches it; it never blocks

_FAILURES = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.EMFILE: Failure.NO_SOCKET,
    errno.ENFILE: Failure.NO_SOCKET,
    errno.ENOBUFS: Failure.NO_SOCKET,
    errno.EADDRNOTAVAIL: Failure.NO_SOCKET,
}


_INTERIM = re.compile(rb"\s*http/\d\.\d 1")


def failure_of(code: int | None) -> Failure:
    """What an errno of a socket means for a request."""
    return _FAILURES.get(code or 0, Failure.UNREACHABLE)


def ends_with_connection(head: bytes) -> bool:
    """Whether an answer that begins with `head` lasts until its connection ends (RFC 9112, 6.3, case 8).

    What is announced before it (100 Continue, 103 Early Hints) is none.
    """
    lines, separator, rest = head.lower().partition(HEAD_END)
    while separator and _INTERIM.match(lines):
        lines, separator, rest = rest.partition(HEAD_END)
    return bool(separator) and b"\r\ncontent-length:" not in lines and b"\r\ntransfer-encoding:" not in lines


class Known(NamedTuple):
    """What followed a head before, and will whenever it comes again: it alone frames the body (RFC 9112, 6.3)."""

    status: int
    size: int
    length: int


class Watched(Protocol):
    """What a connection tells its pool.

    Attributes:
        timeout_s: a request without a whole answer after this has failed.
        known: heads of answers that came whole in one piece on connections that stay open, shared by all of them: an
            answer that begins with one of them and has its length need not be parsed again.
    """

    timeout_s: float
    known: dict[bytes, Known]

    def answered(self, connection: "Connection", request: Request, reusable: bool) -> None:
        """The whole answer is there."""

    def broken(self, connection: "Connection", request: Request | None, failure: Failure) -> None:
        """The connection is of no more use; `request` is what was in flight on it."""


class Connection:
    """One keep-alive connection with at most one request in flight.

    Attributes:
        request: what is in flight on it.
        deadline: when that has failed, seconds of `monotonic_s`.
        received: bytes of its answer so far.
        answers: whole answers that the connection has brought.
    """

    __slots__ = (
        "_body",
        "_connecting",
        "_head",
        "_keep",
        "_parser",
        "_pool",
        "_recv",
        "_send",
        "_size",
        "_socket",
        "_status",
        "_unsent",
        "_watcher",
        "_write_watcher",
        "answers",
        "deadline",
        "received",
        "request",
    )

    def __init__(self, pool: Watched, address: Address) -> None:
        """Begin to connect.

        Raises:
            OSError: it failed at once.
        """
        family, where = address
        self._pool = pool
        self.answers = self.received = self._size = self._status = 0
        self.deadline = 0.0
        self.request: Request | None = None
        self._unsent: memoryview | None = None
        self._write_watcher: Any = None
        self._socket = _plain_socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex(where)
        if code not in (0, errno.EINPROGRESS):
            self._socket.close()
            raise OSError(code, errno.errorcode.get(code, "connect"))
        self._send, self._recv = self._socket.send, self._socket.recv
        self._connecting = code != 0
        self._parser = httptools.HttpResponseParser(self)
        self._watcher = get_hub().loop.io(self._socket.fileno(), READ)
        self._watcher.start(self._on_readable)

    def start(self, request: Request) -> None:
        """Send `request` as soon as the connection stands."""
        self.request = request
        self.deadline = request.attempted + self._pool.timeout_s
        self.received = 0
        if self._connecting:
            self._unsent = memoryview(request.data)
            self._watch_writable()
        else:
            self._write(request, request.data)

    def close(self) -> None:
        """Forget the request, if any, and close the socket."""
        self.request = None
        for watcher in (self._watcher, self._write_watcher):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._socket.close()

    def on_body(self, chunk: bytes) -> None:
        """Count a piece of the body, and keep it if it is to be read (the parser calls this)."""
        self._size += len(chunk)
        if self._size <= LARGEST_READ_BYTES and self.request is not None and is_chosen(self.request.index):
            self._body += chunk

    def on_message_complete(self) -> None:
        """Note that the answer is whole (the parser calls this); 100 Continue and 103 Early Hints are none."""
        status = self._parser.get_status_code()
        if status < 200:
            if status < 100:
                raise ValueError(f"status {status}")  # the parser takes it; to us it is no HTTP
            self._size = 0
            self._body = b""
        elif self._status:
            self._keep = False  # a second answer to one request: nothing on this connection can be trusted
        else:
            self._status = status
            self._keep = self._parser.should_keep_alive()

    def _write(self, request: Request, data: bytes | memoryview) -> None:
        try:
            written = self._send(data)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self._pool.broken(self, request, failure_of(error.errno))
            return
        if written == len(data):
            request.sent = monotonic_s()
            self._unsent = None
        else:
            self._unsent = memoryview(data)[written:]
            self._watch_writable()

    def _watch_writable(self) -> None:
        if self._write_watcher is None:
            self._write_watcher = get_hub().loop.io(self._socket.fileno(), WRITE)
        if not self._write_watcher.active:
            self._write_watcher.start(self._on_writable)

    def _on_writable(self) -> None:
        request = self.request
        if self._connecting and not self._finish_connecting():
            return
        if request is not None and self._unsent is not None:
            self._write(request, self._unsent)
        if self._unsent is None and self.request is request:
            self._write_watcher.stop()

    def _finish_connecting(self) -> bool:
        """Whether the connection stands; if not, it is broken."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._pool.broken(self, self.request, failure_of(code))
            return False
        self._connecting = False
        return True

    def _on_readable(self) -> None:
        try:
            data = self._recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._pool.broken(self, self.request, failure_of(error.errno))
            return
        request = self.request
        if request is None:  # idle: the server closed it, or says what nobody asked for
            self._pool.broken(self, None, Failure.CLOSED)
        elif not data:
            self._on_end(request)
        else:
            self._on_data(request, data)

    def _on_data(self, request: Request, data: bytes) -> None:
        if not self.received:
            request.answering = now = monotonic_s()
            known = self._pool.known.get(data[: data.find(HEAD_END)])
            if known is not None and known.length == len(data):
                self.received = known.length
                if is_chosen(request.index) and is_readable(known.status, known.size):
                    request.answer = data[known.length - known.size :]
                self._complete(request, now, known.status, known.size, True)
                return
            self._size = self._status = 0
            self._keep = True
            self._head = self._body = b""
        if not self._size:
            self._head += data
        self.received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._status:
                self._pool.broken(self, request, Failure.BAD_HTTP)
                return
            self._keep = False  # rubbish behind a whole answer
        if self._status:
            if self._keep and self.received == len(data):
                self._remember(data)
            self._complete_parsed(request, self._status, self._keep)
        elif self.received > (MAX_ANSWER_BYTES if self._size else MAX_HEAD_BYTES):
            self._pool.broken(self, request, Failure.TOO_LARGE)

    def _on_end(self, request: Request) -> None:
        if not self.received:
            self._pool.broken(self, request, Failure.CLOSED)
        elif ends_with_connection(self._head):
            self._complete_parsed(request, self._parser.get_status_code(), False)
        else:
            self._pool.broken(self, request, Failure.TRUNCATED)

    def _remember(self, data: bytes) -> None:
        """Note the head of an answer whose body is what follows it, no more and no less."""
        head = data.find(HEAD_END)
        if head + len(HEAD_END) + self._size == len(data):
            known = self._pool.known
            if len(known) >= MOST_HEADS:
                known.clear()
            known[data[:head]] = Known(self._status, self._size, len(data))

    def _complete_parsed(self, request: Request, status: int, keep: bool) -> None:
        if is_chosen(request.index) and is_readable(status, self._size):
            request.answer = self._body
        self._complete(request, monotonic_s(), status, self._size, keep)

    def _complete(self, request: Request, at: float, status: int, size: int, keep: bool) -> None:
        request.ended = at
        request.status, request.size = status, size
        self.answers += 1
        self.request = None
        self._pool.answered(self, request, keep and self._unsent is None)
