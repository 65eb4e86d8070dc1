"""Answer with an error in the server's place."""

import math
from typing import Literal

from pydantic import Field, StrictInt

from alertdrill.core.faults.base import Answer, ExchangeEffect, ExchangeFault
from alertdrill.core.units import PositiveDurationS


class HttpError(ExchangeFault):
    """Answer with an error in the server's place.

    What it does:
        The fault proxy at `place` answers every touched request with `status` and `body`, at once. The request is
        not passed on: the server behind never hears of it. The connection stays open.
    Why it matters:
        A replica without memory, a gateway without backends, a deployment that went wrong halfway. The errors come
        fast, so latency looks better than ever, and the failing server may count nothing at all.
    Should trigger:
        An alert on the share of 5xx answers, measured before `place` (bundled: ErrorRateHigh at model for a status
        from 500 up and more than 5%). A 4xx triggers nothing of the bundled ones. At dependency the bundled model
        falls back to a default and answers 200; at edge neither monitor nor model see the request.
    Example:
        - {kind: http_error, status: 503, share: 20%, place: model}
    References:
        RFC 9110, HTTP Semantics, sections 10.2.3 (Retry-After), 15.5 and 15.6.
        Beyer, Jones, Petoff, Murphy 2016, Site Reliability Engineering, chapter 6 (the four golden signals).
    """

    kind: Literal["http_error"]
    status: StrictInt = Field(default=503, ge=400, le=599, description="status code, from 400 to 599, such as 503")
    body: str = Field(
        default='{"error": "unavailable"}', max_length=65536, description='JSON body, such as {"error": "unavailable"}'
    )
    retry_after: PositiveDurationS | None = Field(
        default=None, description="when the caller may come again, sent as Retry-After in whole seconds: 2s"
    )

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """The same answer for every touched request."""
        headers = [("Content-Type", "application/json")]
        if self.retry_after is not None:
            headers.append(("Retry-After", str(math.ceil(self.retry_after))))
        return ExchangeEffect(answer=Answer(self.status, self.body.encode(), tuple(headers)))
