"""Pass the body of requests on bit by bit."""

from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault
from alertdrill.core.units import PositiveDurationS


class SlowUpload(ExchangeFault):
    """Pass the body of requests on bit by bit.

    What it does:
        The fault proxy at `place` passes the head of every touched request on at once and spreads its body evenly
        over `over`. The server behind has accepted a request and waits for it: unlike a delay in front of it, that
        moves its own latency metric, and holds one of its workers if it has few. A request without a body, such as
        the bundled model's to its dependency, is not touched.
    Why it matters:
        Phones on a bad network, a gateway that does not buffer, an attacker with patience. A server with a worker a
        request is full of requests that are still on their way.
    Should trigger:
        A latency alert measured by the server behind, if its clock starts at the headers, or before `place` (bundled:
        PredictionLatencyHigh at model, for more than one request in twenty above 250 ms). At edge nothing of the
        bundled ones does: the monitor's clock starts when it has read the whole request.
    Example:
        - {kind: slow_upload, over: 600ms, share: 30%, place: model}
    References:
        RFC 9110, HTTP Semantics, section 15.5.9 (408 Request Timeout).
    """

    has_dose: ClassVar[bool] = True

    kind: Literal["slow_upload"]
    over: PositiveDurationS = Field(description="how long the body of a touched request takes, such as 600ms")

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """The same time for every touched request, times the dose."""
        return ExchangeEffect(upload_s=self.over * dose)
