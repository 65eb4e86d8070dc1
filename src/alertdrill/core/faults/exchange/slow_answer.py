"""Pass the body of answers back bit by bit."""

from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault
from alertdrill.core.units import PositiveDurationS


class SlowAnswer(ExchangeFault):
    """Pass the body of answers back bit by bit.

    What it does:
        The fault proxy at `place` passes the head of every touched answer back at once and spreads its body evenly
        over `over`. An answer without a body is not touched. The server behind is done long before.
    Why it matters:
        A thin link, a full receive buffer, a server that streams slower than it says. Status and time to first byte
        are fine, and an alert that measures the time to the headers stays silent.
    Should trigger:
        A latency alert that measures to the last byte, before `place` (bundled: PredictionLatencyHigh at model and at
        dependency, for more than one request in twenty above 250 ms; the bundled model waits for its dependency for
        1 s at most). At edge only the callers see it.
    Example:
        - {kind: slow_answer, over: 600ms, share: 30%, place: model}
    References:
        Nygard 2018, Release It!, second edition: Slow Responses.
    """

    has_dose: ClassVar[bool] = True

    kind: Literal["slow_answer"]
    over: PositiveDurationS = Field(description="how long the body of a touched answer takes, such as 600ms")

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """The same time for every touched answer, times the dose."""
        return ExchangeEffect(download_s=self.over * dose)
