"""The wire client of the load on a real hub and real sockets, where a whole load process could not be made to do it."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event

from alertdrill.adapters.load import wire
from alertdrill.adapters.load.connection_pool import Pool
from alertdrill.adapters.load.endpoint import Endpoint
from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.request import Failure, Request
from alertdrill.adapters.load.resolve import resolve
from alertdrill.adapters.load.wire import Address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[Callable[[socket.socket], None]], Address]


class Outcome:
    """Waits for the end of requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._over = Event()

    def ended(self, request: Request) -> None:
        self.requests.append(request)
        self._over.set()

    def again(self) -> None:
        """Wait for another one."""
        self._over.clear()

    def wait(self) -> Request:
        assert self._over.wait(5.0)
        return self.requests[-1]


def _nothing() -> None:
    pass


def _small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    class SmallBuffers(socket.socket):
        def connect_ex(self, address: Any) -> int:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            return super().connect_ex(address)

    monkeypatch.setattr(wire, "_plain_socket", SmallBuffers)


def test_a_request_larger_than_the_kernel_takes_arrives_whole_and_counts_as_sent_with_its_last_byte(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    _small_buffers(monkeypatch)
    body = bytes(range(256)) * 8192
    read = bytearray()
    reads_at: list[float] = []
    may_read = threading.Event()

    def talk(peer: socket.socket) -> None:
        may_read.wait(5.0)
        reads_at.append(monotonic_s())
        while len(read) < len(body):
            read.extend(peer.recv(1 << 16))
        peer.sendall(OK)

    outcome = Outcome()
    pool = Pool(serve(talk), outcome.ended, _nothing)
    request = Request(0, 0, body, body)
    pool.submit(request)
    Event().wait(0.05)
    assert not request.sent
    may_read.set()
    answered = outcome.wait()
    pool.close()
    assert (answered.status, answered.failure) == (200, None)
    assert bytes(read) == body
    assert answered.sent > reads_at[0]


def test_an_answer_before_the_whole_request_left_ends_the_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    _small_buffers(monkeypatch)
    closed = threading.Event()

    def talk(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        while peer.recv(1 << 16):
            pass
        closed.set()

    outcome = Outcome()
    address = serve(talk)
    pool = Pool(address, outcome.ended, _nothing)
    pool.submit(Request(0, 0, b"", b"x" * (16 << 20)))
    answered = outcome.wait()
    assert answered.status == 413
    assert not answered.sent
    Event().wait(0.05)
    assert closed.wait(5.0)
    pool.close()


def test_of_several_addresses_the_one_that_listens_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as gone:
        here, nobody = listener.getsockname(), gone.getsockname()
        gone.close()
        for answers, used in (([nobody, here], here), ([nobody, nobody], nobody), ([nobody], nobody)):
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", where) for where in answers]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, found=found, **__: found)
            assert resolve(Endpoint("http://model.test", "/", "r", {})) == (int(socket.AF_INET), used)


def test_a_name_without_a_route_is_told_apart_from_a_refusal() -> None:
    outcome = Outcome()
    pool = Pool((int(socket.AF_INET), ("255.255.255.255", 9)), outcome.ended, _nothing)
    pool.submit(Request(0, 0, b"", b"x"))
    assert outcome.wait().failure is Failure.UNREACHABLE
    pool.close()


def test_an_answer_with_a_known_head_is_whole_only_with_all_of_its_body(serve: Serve) -> None:
    go_on = threading.Event()

    def talk(peer: socket.socket) -> None:
        for _ in range(2):
            peer.recv(100)
            peer.sendall(OK)
        peer.recv(100)
        peer.sendall(OK[:-1])
        assert go_on.wait(5.0)
        peer.sendall(OK[-1:])
        peer.recv(100)
        peer.sendall(OK + b"rubbish")

    outcome = Outcome()
    pool = Pool(serve(talk), outcome.ended, _nothing)
    for n in range(4):
        outcome.again()
        pool.submit(Request(0, n, b"x", b"x"))
        if n == 2:
            with gevent.Timeout(0.3, False):
                outcome.wait()
            assert len(outcome.requests) == 2
            go_on.set()
        request = outcome.wait()
        assert (request.index, request.status, request.size, request.failure) == (n, 200, 2, None)
        assert request.sent < request.answering <= request.ended
    assert len(pool.known) == 1
    assert not pool._idle, "a connection that says more than it was asked for is not used again"
    pool.close()
