"""`POST` of CloudEvents to a mirror, beside whatever else a relay's handler does."""

from alertdrill.monitor.failures import Failures
from alertdrill.monitor.mirror import Mirror
from alertdrill.protocols.cloud_events import BadEvent
from alertdrill.relay.exchange import Effect, Exchange, Handler, Request, Response

TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)


class MirrorEndpoint:
    """Answers events here, and leaves all else to another handler.

    Args:
        mirror: takes the events.
        path: that they are posted to.
        failures: of the monitor.
        others: what else the relay does.
    """

    def __init__(self, mirror: Mirror, path: str, failures: Failures, others: Handler) -> None:
        self._mirror, self._path, self._failures, self._others = mirror, path.encode(), failures, others

    def local(self, request: Request) -> Response | None:
        """200 for events that were taken, 400 for what is none."""
        if request.method != b"POST" or request.target.partition(b"?")[0] != self._path:
            return self._others.local(request)
        with self._failures:
            try:
                self._mirror.post(dict(request.headers), request.body)
            except BadEvent as error:
                return Response(400, TEXT, f"no CloudEvent: {error}\n".encode())
            return Response(200, TEXT, b"")
        return Response(500, TEXT, b"the monitor failed; it goes on\n")

    def effect(self, request: Request) -> Effect | None:
        """What the other handler says."""
        return self._others.effect(request)

    def ended(self, exchange: Exchange) -> None:
        """Tell the other handler."""
        self._others.ended(exchange)
