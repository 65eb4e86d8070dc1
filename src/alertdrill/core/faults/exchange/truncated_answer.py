"""Cut answers off before their end."""

from typing import Literal

from pydantic import Field

from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault
from alertdrill.core.units import Share


class TruncatedAnswer(ExchangeFault):
    """Cut answers off before their end.

    What it does:
        The fault proxy at `place` passes back the head of every touched answer, with the length of the whole, and the
        first `kept` of its body, always less than all of it; then it ends the connection. An answer without a body is
        cut within its head. The server behind sees its answer taken whole.
    Why it matters:
        A server killed within an answer, a proxy with a buffer limit, a response that outlives a deployment. The
        status was 200 and is counted as a success; half a JSON object is what the caller has.
    Should trigger:
        An alert of whoever reads the answer to its end before `place` (bundled: ErrorRateHigh at model for more than
        5%, as the monitor counts such an answer as 502). A metric of status codes alone sees nothing. At dependency
        the bundled model falls back to a default and answers 200; at edge only the callers see it.
    Example:
        - {kind: truncated_answer, kept: 50%, share: 20%, place: model}
    References:
        RFC 9112, HTTP/1.1, section 8 (handling incomplete messages).
    """

    kind: Literal["truncated_answer"]
    kept: Share = Field(default=0.5, description="share of the body that is passed back, such as 50%; never all of it")

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """The same share of every touched answer."""
        return ExchangeEffect(kept=self.kept)
