"""Hold requests back before they reach the server behind the proxy."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault
from alertdrill.core.faults.shared.distributions import DistributionSpec, Fixed, Uniform
from alertdrill.core.units import DurationS, PositiveDurationS, format_duration

SHORTEST_S, LONGEST_S = 0.001, 30.0


class Latency(ExchangeFault):
    """Hold requests back before they reach the server behind the proxy.

    What it does:
        The fault proxy at `place` holds every touched request for `delay`, then passes it on. With a `distribution`,
        each is held for a time of its own: uniform, delay ± jitter; normal, with mean `delay` and standard deviation
        jitter; lognormal, with median `delay`; pareto, with minimum `delay`. None is held for less than 1 ms or more
        than `at_most`. At `model` the monitor sees the delay and the model server does not: a delay in front of a
        server never moves that server's own latency metric; one at `inside` does.
    Why it matters:
        A noisy neighbour, a cold cache, a feature store that cannot keep up. Callers with a time budget see timeouts
        while the model's own dashboard stays flat. Real delays have long tails: a mean can look well while one
        caller in a hundred waits for seconds.
    Should trigger:
        A latency alert measured before `place` (bundled: PredictionLatencyHigh at model and at dependency, for more
        than one request in twenty above 250 ms; the bundled model waits for its dependency for 1 s at most). At edge
        only the callers see it.
    Example:
        - {kind: latency, delay: 400ms, share: 30%, place: model}
    References:
        Dean, Barroso 2013, The Tail at Scale (CACM 56:2).
        Crovella, Bestavros 1997, Self-Similarity in World Wide Web Traffic (IEEE/ACM Transactions on Networking 5:6).
    """

    has_dose: ClassVar[bool] = True

    kind: Literal["latency"]
    delay: PositiveDurationS = Field(description="how long a touched request is typically held, such as 400ms")
    distribution: DistributionSpec = Field(
        default=Fixed(kind="fixed"),
        description="how the delays vary: {kind: fixed}, {kind: uniform, jitter: 100ms}, {kind: normal, jitter: "
        "100ms}, {kind: lognormal, sigma: 0.5} or {kind: pareto, alpha: 1.5}",
    )
    at_most: DurationS | None = Field(
        default=None, description="longest delay of the distribution, such as 5s; default: 30s, or delay if longer"
    )

    @model_validator(mode="after")
    def _check_delays(self) -> Self:
        delay = format_duration(self.delay)
        if self.at_most is not None and self.at_most < self.delay:
            fix = "raise at_most, or lower delay"
            raise BadValue(f"at least delay, {delay}", fix, format_duration(self.at_most), at=("at_most",))
        if isinstance(self.distribution, Uniform) and self.distribution.jitter > self.delay:
            fix = "lower jitter: a delay cannot be negative"
            jitter = format_duration(self.distribution.jitter)
            raise BadValue(f"at most delay, {delay}", fix, jitter, at=("distribution", "jitter"))
        return self

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """A delay from the distribution, times the dose."""
        at_most_s = self.at_most or max(self.delay, LONGEST_S)
        delay_s = min(max(self.distribution.delay_s(self.delay, draw), SHORTEST_S), at_most_s)
        return ExchangeEffect(delay_s=delay_s * dose)
