"""`POST` of feedback to the middleware: an ASGI app."""

from alertdrill.asgi import Receive, Scope, Send, respond
from alertdrill.monitor.failures import Failures
from alertdrill.monitor.truth.feedback import MOST_BYTES
from alertdrill.monitor.truth.ground_truth import FAILED, GroundTruth


class FeedbackEndpoint:
    """Answers feedback.

    Attributes:
        path: that it is posted to.

    Args:
        truth: what takes it.
        failures: of the monitor.
    """

    def __init__(self, truth: GroundTruth, failures: Failures) -> None:
        self._truth, self._failures = truth, failures
        self.path = truth.path.decode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _body(receive)
        if body is None:
            return
        reply = FAILED
        with self._failures:
            reply = self._truth.answer(body)
        await respond(send, reply.status, reply.body, reply.headers)


async def _body(receive: Receive) -> bytes | None:
    """The body, of one that is too large only as much as shows it; None if the client left before its end."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        if len(body) <= MOST_BYTES:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)
