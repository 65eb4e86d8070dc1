"""What the errors of Locust's HTTP clients say of a request."""

import errno
import http.client
import ssl

import pytest
import requests.exceptions
import urllib3.exceptions
from gevent import GreenletExit
from geventhttpclient.response import HTTPConnectionClosed

from alertdrill.adapters.load.request import Failure
from alertdrill.adapters.load.session_failure import why


def _of_requests(reason: Exception) -> Exception:
    """An error as requests raises it: wrapped by urllib3 and by itself."""
    wrapped = urllib3.exceptions.MaxRetryError(None, "/predict", reason)  # type: ignore[arg-type]
    return requests.exceptions.ConnectionError(wrapped)


@pytest.mark.parametrize(
    ("error", "failure", "left"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Failure.REFUSED, False),
        (_of_requests(ConnectionRefusedError(errno.ECONNREFUSED, "refused")), Failure.REFUSED, False),
        (_of_requests(ssl.SSLCertVerificationError(1, "self-signed")), Failure.CERTIFICATE, False),
        (_of_requests(ssl.SSLError(1, "wrong version")), Failure.TLS, False),
        (TimeoutError("no whole answer in time"), Failure.TIMEOUT, True),
        (_of_requests(urllib3.exceptions.ConnectTimeoutError("slow")), Failure.TIMEOUT, False),
        (urllib3.exceptions.ProtocolError("aborted", http.client.RemoteDisconnected("gone")), Failure.CLOSED, True),
        (HTTPConnectionClosed("gone"), Failure.CLOSED, True),
        (urllib3.exceptions.ProtocolError("aborted", ConnectionResetError(104, "reset")), Failure.RESET, True),
        (requests.exceptions.ChunkedEncodingError("short"), Failure.TRUNCATED, True),
        (http.client.BadStatusLine("nonsense"), Failure.BAD_HTTP, True),
        (OSError(errno.EMFILE, "too many files"), Failure.NO_SOCKET, False),
        (_of_requests(OSError(errno.EHOSTUNREACH, "no route")), Failure.UNREACHABLE, False),
        (GreenletExit(), Failure.GIVEN_UP, False),
        (ValueError("in the code of the user"), Failure.GIVEN_UP, False),
    ],
)
def test_an_error_is_told_in_the_words_of_the_load(error: BaseException, failure: Failure, left: bool) -> None:
    assert why(error) == (failure, left)


def test_the_cause_of_an_error_is_looked_for() -> None:
    error = RuntimeError("wrapped")
    error.__cause__ = ConnectionResetError(104, "reset")
    assert why(error).failure is Failure.RESET
