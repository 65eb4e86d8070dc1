"""Reset the caller's connection instead of answering."""

from typing import Literal

from alertdrill.core.faults.base import Cut, ExchangeEffect, ExchangeFault


class ConnectionReset(ExchangeFault):
    """Reset the caller's connection instead of answering.

    What it does:
        The fault proxy at `place` reads every touched request and resets the TCP connection that it came on, without
        passing it on. A caller that sees its kept connection reset may try once more on a new one, as the monitor
        does: the second attempt is reset too.
    Why it matters:
        A server that was killed, a load balancer that forgot its connections, a firewall that drops old ones. Callers
        get no status at all, so whoever counts status codes counts nothing.
    Should trigger:
        An alert on the share of 5xx answers, measured before `place` (bundled: ErrorRateHigh at model for more than
        5%, as the monitor answers 502). At dependency the bundled model falls back to a default and answers 200; at
        edge neither monitor nor model see the request.
    Example:
        - {kind: connection_reset, share: 20%, place: model}
    References:
        RFC 9293, Transmission Control Protocol, section 3.5.2 (reset generation).
    """

    kind: Literal["connection_reset"]

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """The same for every touched request."""
        return ExchangeEffect(cut=Cut.RESET)
