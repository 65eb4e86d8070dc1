"""What came of a call of Locust's HTTP clients: a whole answer, or why there is none."""

from typing import Any

from geventhttpclient.response import HTTPSocketPoolResponse
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, FastRequest, FastResponse, LocustUserAgent

from alertdrill.adapters.load.request import Failure
from alertdrill.adapters.load.session_failure import Why, why


class KeptResponse(FastResponse):
    """A response of FastHttpSession that keeps the answer as it came off the wire.

    The response itself says nothing of an answer that broke off: its content is as empty as that of one without a body.

    Attributes:
        wire: the answer, which knows whether it has come to its end.
    """

    def __init__(
        self, ghc_response: HTTPSocketPoolResponse, request: FastRequest | None = None, sent_request: str | None = None
    ) -> None:
        super().__init__(ghc_response, request, sent_request)
        self.wire = ghc_response


def keep_answers() -> None:
    """Have every FastHttpSession make such responses from now on."""
    LocustUserAgent.response_type = KeptResponse


def outcome(response: Any, stream: bool) -> tuple[int, bytes | None] | Why:
    """Status and body of a whole answer, no body if its user reads it as it comes, or why there is none.

    Args:
        response: what `request` of HttpSession or FastHttpSession gave.
        stream: whether its user reads it as it comes.
    """
    if not response.status_code:
        error = getattr(response, "error", None)
        return why(error) if error is not None else Why(Failure.GIVEN_UP, False)
    status = int(response.status_code)
    if stream:
        return status, None
    try:
        content = bytes(response.content or b"")
    except FAILURE_EXCEPTIONS as error:
        failure = why(error).failure
        return Why(failure if failure in (Failure.TIMEOUT, Failure.BAD_HTTP) else Failure.TRUNCATED, True)
    wire = getattr(response, "wire", None)
    return (status, content) if wire is None or wire.message_complete else Why(Failure.TRUNCATED, True)
