"""A pool of keep-alive connections that grows with the requests in flight, up to a limit."""

from collections.abc import Callable

from gevent.hub import get_hub

from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.request import Failure, Request
from alertdrill.adapters.load.wire import Address, Connection, Known, Watched, failure_of
from alertdrill.core.plan import LOAD_TIMEOUT_S

MOST_BYTES = 256 << 20


class Pool:
    """Connections to one address: as many as requests in flight need, up to a limit, and up to 256 MiB of requests."""

    def __init__(
        self,
        address: Address,
        ended: Callable[[Request], None],
        room: Callable[[], None],
        timeout_s: float = LOAD_TIMEOUT_S,
        limit: int = 1024,
        connect: Callable[[Watched, Address], Connection] = Connection,
    ) -> None:
        """Make an empty pool.

        Args:
            address: where to connect.
            ended: told of every request once, when it is answered or has failed.
            room: told when there is room again, after `has_room` said no, at the end of the hub's turn.
            timeout_s: a request without a whole answer after this has failed.
            limit: open connections at most.
            connect: begins a connection.
        """
        self.timeout_s = timeout_s
        self.known: dict[bytes, Known] = {}
        self._address = address
        self._ended = ended
        self._room = room
        self._limit = limit
        self._begin = connect
        self._later = get_hub().loop.run_callback
        self._starved = False
        self._bytes = 0
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()

    def has_room(self) -> bool:
        """Whether `submit` can send at once; if not, `room` is called as soon as it can."""
        if (self._idle or len(self._open) < self._limit) and self._bytes < MOST_BYTES:
            return True
        self._starved = True
        return False

    def submit(self, request: Request) -> None:
        """Send a request; its outcome goes to `ended`, possibly before this returns. Call only while `has_room`."""
        self._bytes += len(request.data)
        if self._idle:
            self._idle.pop().start(request)
        else:
            self._connect(request)

    def expire(self) -> None:
        """Fail every request whose time is up."""
        now = monotonic_s()
        for connection in [c for c in self._open if c.request is not None and c.deadline <= now]:
            self.broken(connection, connection.request, Failure.TIMEOUT)

    def close(self) -> None:
        """Close every connection; requests in flight get no outcome."""
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._idle.clear()

    def answered(self, connection: Connection, request: Request, reusable: bool) -> None:
        """A connection has its whole answer."""
        if reusable:
            self._idle.append(connection)
        else:
            self._drop(connection)
        self._finish(request)

    def broken(self, connection: Connection, request: Request | None, failure: Failure) -> None:
        """A connection ended; a request that met a kept connection just closed by the server goes out once more."""
        stale = connection.answers > 0 and not connection.received and failure in (Failure.CLOSED, Failure.RESET)
        self._drop(connection)
        if request is None:
            self._tell_room()
        elif stale and not request.resent:
            request.resent, request.sent = True, 0.0
            self._connect(request)
        else:
            self._fail(request, failure)

    def _connect(self, request: Request) -> None:
        try:
            connection = self._begin(self, self._address)
        except OSError as error:
            self._fail(request, failure_of(error.errno))
            return
        self._open.add(connection)
        connection.start(request)

    def _fail(self, request: Request, failure: Failure) -> None:
        request.failure, request.ended = failure, monotonic_s()
        self._finish(request)

    def _finish(self, request: Request) -> None:
        self._bytes -= len(request.data)
        request.data = b""  # of no more use, and it may be long
        self._ended(request)
        self._tell_room()

    def _tell_room(self) -> None:
        """Tell it once all that is readable now is read: sent together, requests do not wake the target one by one."""
        if self._starved:
            self._starved = False
            self._later(self._room)

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
