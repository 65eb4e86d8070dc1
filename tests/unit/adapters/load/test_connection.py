"""Tests of what a connection reads out of answers and errors; the client itself is tested on real sockets."""

import errno

import pytest

from alertdrill.adapters.load.request import Failure
from alertdrill.adapters.load.wire import ends_with_connection, failure_of


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-LENGTH: 9\r\n\r\nabc", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", False),
        (b"HTTP/1.1 200 OK\r\nX: y", False),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc", True),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"", False),
    ],
)
def test_an_answer_without_length_ends_with_its_connection(head: bytes, expected: bool) -> None:
    assert ends_with_connection(head) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ECONNREFUSED, Failure.REFUSED),
        (errno.ECONNRESET, Failure.RESET),
        (errno.EPIPE, Failure.RESET),
        (errno.EMFILE, Failure.NO_SOCKET),
        (errno.EHOSTUNREACH, Failure.UNREACHABLE),
        (None, Failure.UNREACHABLE),
    ],
)
def test_every_error_of_a_socket_has_a_kind(code: int | None, expected: Failure) -> None:
    assert failure_of(code) is expected
