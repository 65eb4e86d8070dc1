"""A connection of the load that speaks TLS, its handshake and its records handled in the callbacks of the hub."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.request import Failure, Request
from alertdrill.adapters.load.wire import READ_BYTES, Address, Connection, Watched, failure_of
from alertdrill.tls import TlsSettings

MAX_UNREAD_BYTES = 1 << 20


def connector(settings: TlsSettings, host: str) -> Callable[[Watched, Address], Connection]:
    """What opens TLS connections to a host.

    Every one is a full handshake: a session that is taken up again would hide a certificate that has expired since.

    Raises:
        BadTlsFile: a file of the settings cannot be used.
    """
    return partial(TlsConnection, context=settings.context(), server_name=settings.server_name or host)


class TlsConnection(Connection):
    """A connection whose bytes pass through a TLS session on their way to and from the socket.

    Its `_unsent` is what has not been encrypted yet; an empty rest waits for the kernel to take the last record.
    """

    __slots__ = ("_encrypted", "_ended", "_from_socket", "_secured", "_session", "_to_socket")

    def __init__(self, pool: Watched, address: Address, *, context: ssl.SSLContext, server_name: str) -> None:
        """Begin to connect.

        Raises:
            OSError: it failed at once.
        """
        super().__init__(pool, address)
        self._from_socket, self._to_socket = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._from_socket, self._to_socket, server_hostname=server_name)
        self._encrypted = memoryview(b"")
        self._secured = False
        self._ended = False

    def _write(self, request: Request, data: bytes | memoryview) -> None:
        self._unsent = memoryview(data)
        self._go_on()

    def _on_writable(self) -> None:
        if not self._connecting or self._finish_connecting():
            self._go_on()

    def _on_readable(self) -> None:
        if not self._take():
            return
        if self._secured or (self._go_on() and self._secured):
            self._read()

    def _take(self) -> bool:
        """Hand the session what came; False if nothing did, or the connection is broken."""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            self._break(error)
            return False
        if data:
            self._from_socket.write(data)
        else:
            self._from_socket.write_eof()
        return True

    def _go_on(self) -> bool:
        """Go on with the handshake, then with the request, as far as the socket lets us; False if that broke it."""
        try:
            if not self._secured:
                self._shake_hands()
            while self._flush() and self._secured and self._unsent is not None:
                self._encrypt(self._unsent)
        except OSError as error:
            self._break(error)
            return False
        return True

    def _shake_hands(self) -> None:
        with suppress(ssl.SSLWantReadError):
            self._session.do_handshake()
            self._secured = True

    def _encrypt(self, left: memoryview) -> None:
        """Encrypt a piece of the request; with nothing left, the kernel has all of it."""
        if left:
            self._unsent = left[self._session.write(left[:READ_BYTES]) :]
        else:
            self._unsent = None
            if self.request is not None:
                self.request.sent = monotonic_s()

    def _flush(self) -> bool:
        """Whether the kernel has everything that was encrypted."""
        while self._encrypted or self._to_socket.pending:
            self._encrypted = self._encrypted or memoryview(self._to_socket.read())
            try:
                self._encrypted = self._encrypted[self._socket.send(self._encrypted) :]
            except BlockingIOError:
                self._watch_writable()
                return False
        if self._write_watcher is not None:
            self._write_watcher.stop()
        return True

    def _read(self) -> None:
        """Decrypt what came and take it for the answer."""
        request = self.request
        pieces: list[bytes] = []
        cut: OSError | None = None
        try:
            while piece := self._session.read(READ_BYTES):
                pieces.append(piece)
            self._ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            cut = error
        data = b"".join(pieces)
        if request is None and (data or cut or self._ended):  # idle: keys may be renewed, nothing else is expected
            self._pool.broken(self, None, Failure.CLOSED)
            return
        if request is not None and data:
            self._on_data(request, data)
        if self.request is request:
            self._after(request, cut)

    def _complete(self, request: Request, at: float, status: int, size: int, keep: bool) -> None:
        """Nothing follows an answer if the server has said goodbye."""
        super()._complete(request, at, status, size, keep and not self._ended)

    def _after(self, request: Request | None, cut: OSError | None) -> None:
        """There is no whole answer yet: go on, or say why it never will be."""
        if request is not None and self._ended:
            self._on_end(request)
        elif isinstance(cut, ssl.SSLEOFError):  # no goodbye: whoever cut the connection need not be the server
            self._pool.broken(self, request, Failure.TRUNCATED if self.received else Failure.CLOSED)
        elif cut is not None:
            self._break(cut)
        elif self._to_socket.pending > MAX_UNREAD_BYTES:
            self._pool.broken(self, request, Failure.TLS)
        elif self._to_socket.pending:
            self._go_on()

    def _break(self, error: OSError) -> None:
        """The connection is of no more use; tell the server why, if the session has something to say."""
        if not self._encrypted:
            with suppress(OSError):
                self._socket.send(self._to_socket.read())
        self._pool.broken(self, self.request, self._failure_of(self._explained(error)))

    def _explained(self, error: OSError) -> OSError:
        """What the server said before it cut the connection, if it did: an alert explains a reset."""
        if isinstance(error, ssl.SSLError) or self._connecting:
            return error
        try:
            self._from_socket.write(self._socket.recv(READ_BYTES))
            self._session.read(READ_BYTES)
        except ssl.SSLWantReadError:
            return error
        except ssl.SSLError as alert:
            return alert
        except OSError:
            return error
        return error

    def _failure_of(self, error: OSError) -> Failure:
        if isinstance(error, ssl.SSLCertVerificationError):
            return Failure.CERTIFICATE
        if isinstance(error, ssl.SSLError):
            return Failure.TLS
        failure = failure_of(error.errno)
        shaking = not self._secured and not self._connecting
        return Failure.TLS if shaking and failure is Failure.RESET else failure
