"""What kept a request of Locust's own clients from being answered, in the words of the load."""

import http.client
import ssl
import zlib
from collections.abc import Iterable, Iterator
from traceback import walk_tb
from typing import NamedTuple

import requests.exceptions
import urllib3.exceptions
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from alertdrill.adapters.load.request import Failure
from alertdrill.adapters.load.wire import failure_of


class Why(NamedTuple):
    """A failure, and whether the request had left when it came."""

    failure: Failure
    left: bool


_KINDS: tuple[tuple[tuple[type[BaseException], ...], Why], ...] = (
    ((ssl.SSLCertVerificationError,), Why(Failure.CERTIFICATE, False)),
    ((ssl.SSLError,), Why(Failure.TLS, False)),
    ((ConnectionRefusedError,), Why(Failure.REFUSED, False)),
    ((urllib3.exceptions.ConnectTimeoutError,), Why(Failure.TIMEOUT, False)),
    ((TimeoutError, urllib3.exceptions.TimeoutError), Why(Failure.TIMEOUT, True)),
    ((http.client.RemoteDisconnected, HTTPConnectionClosed), Why(Failure.CLOSED, True)),
    ((ConnectionResetError, BrokenPipeError), Why(Failure.RESET, True)),
    ((http.client.IncompleteRead, requests.exceptions.ChunkedEncodingError), Why(Failure.TRUNCATED, True)),
    ((http.client.HTTPException, HTTPParseError, zlib.error), Why(Failure.BAD_HTTP, True)),
    ((requests.exceptions.ContentDecodingError,), Why(Failure.BAD_HTTP, True)),
)
"""The first that is found anywhere among the causes of an error counts."""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything that led to it, each once."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


_AFTER_SENDING = {"recv", "recv_into", "dispatch_hook", "fire"}
"""Functions of sockets, requests and Locust's events that a client is in once its request has left."""


def _had_left(causes: Iterable[BaseException]) -> bool:
    """Whether a request had left when something else than its connection ended it."""
    frames = (frame for one in causes for frame, _ in walk_tb(one.__traceback__))
    return any(frame.f_code.co_name in _AFTER_SENDING for frame in frames)


def why(error: BaseException) -> Why:
    """What an error of Locust's HttpSession or FastHttpSession says of its request."""
    causes = list(_causes(error))
    for kinds, found in _KINDS:
        if any(isinstance(one, kinds) for one in causes):
            return found
    codes = [one.errno for one in causes if isinstance(one, OSError) and one.errno is not None]
    return Why(failure_of(codes[0]), False) if codes else Why(Failure.GIVEN_UP, _had_left(causes))
