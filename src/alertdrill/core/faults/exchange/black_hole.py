"""Take requests and never answer."""

from typing import Literal

from alertdrill.core.faults.base import Cut, ExchangeEffect, ExchangeFault


class BlackHole(ExchangeFault):
    """Take requests and never answer.

    What it does:
        The fault proxy at `place` reads every touched request and then does nothing: it neither passes it on nor
        answers nor closes the connection, until the caller leaves or the fault ends. Callers need a timeout of their
        own; those of alertdrill's load give up after 10 s, the bundled monitor after 30 s, the bundled model waits
        1 s for its dependency.
    Why it matters:
        A deadlock, a packet filter that drops, a process that was stopped. Every waiting call keeps a connection and
        memory, so the silence of one server spreads to its callers. A call that is still waiting is in no histogram.
    Should trigger:
        At model a latency alert of the monitor, once the first callers have given up: after 10 s with alertdrill's
        load (bundled: PredictionLatencyHigh; their code is 499). Callers that wait for longer than 30 s get 504
        (bundled: ErrorRateHigh). At dependency: PredictionLatencyHigh, as the bundled model waits 1 s and then falls
        back. At edge neither monitor nor model see the request.
    Example:
        - {kind: black_hole, share: 20%, place: model}
    References:
        Nygard 2018, Release It!, second edition: Slow Responses, Timeouts.
    """

    kind: Literal["black_hole"]

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """The same for every touched request."""
        return ExchangeEffect(cut=Cut.SILENCE)
