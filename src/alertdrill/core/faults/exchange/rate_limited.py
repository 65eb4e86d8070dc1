"""Answer that there were too many requests."""

import math
from typing import Literal

from pydantic import Field

from alertdrill.core.faults.base import Answer, ExchangeEffect, ExchangeFault
from alertdrill.core.units import PositiveDurationS

_BODY = b'{"error": "too many requests"}'


class RateLimited(ExchangeFault):
    """Answer that there were too many requests.

    What it does:
        The fault proxy at `place` answers every touched request with 429 and `Retry-After`, at once. The request is
        not passed on: the server behind never hears of it. The connection stays open.
    Why it matters:
        A quota that was set for last year's traffic, a noisy tenant, a gateway with the wrong limit. Callers that
        retry at once make it worse; callers that do not lose predictions.
    Should trigger:
        An alert on the share of 429 or of 4xx answers, measured before `place`. Nothing of the bundled ones does:
        ErrorRateHigh counts 5xx alone. At dependency the bundled model falls back to a default and answers 200.
    Example:
        - {kind: rate_limited, retry_after: 2s, share: 20%, place: model}
    References:
        RFC 6585, Additional HTTP Status Codes, section 4; RFC 9110, HTTP Semantics, section 10.2.3.
    """

    kind: Literal["rate_limited"]
    retry_after: PositiveDurationS = Field(
        default=1.0, description="when the caller may come again, sent as Retry-After in whole seconds: 2s"
    )

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """429 for every touched request."""
        headers = (("Content-Type", "application/json"), ("Retry-After", str(math.ceil(self.retry_after))))
        return ExchangeEffect(answer=Answer(429, _BODY, headers))
