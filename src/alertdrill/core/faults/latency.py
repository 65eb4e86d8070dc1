"""Hold requests back before they reach the server behind the proxy."""

from typing import Literal

from pydantic import Field

from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault
from alertdrill.core.units import DurationS


class Latency(ExchangeFault):
    """Hold requests back before they reach the server behind the proxy.

    What it does:
        The fault proxy at `place` holds every touched request for `delay`, then passes it on. At `model` the
        monitor sees the delay and the model server does not: a delay in front of a server never moves that server's
        own latency metric.
    Why it matters:
        A noisy neighbour, a cold cache, a feature store that cannot keep up. Callers with a time budget see timeouts
        while the model's own dashboard stays flat.
    Should trigger:
        A latency alert measured at or before `place` (bundled: PredictionLatencyHigh).
    Example:
        - {kind: latency, delay: 400ms, share: 30%, place: model}
    References:
        Dean, Barroso 2013, The Tail at Scale (CACM 56:2).
    """

    kind: Literal["latency"]
    delay: DurationS = Field(gt=0, description="how long each touched exchange is held, such as 400ms")

    def effect(self, draw: float) -> ExchangeEffect:
        """The same delay for every touched exchange."""
        return ExchangeEffect(delay_s=self.delay)
