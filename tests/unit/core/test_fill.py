import math
from collections.abc import Callable

import numpy as np
import pytest
from simulation import fires_after, scrape

from alertdrill.core.detection import Settings, bounds
from alertdrill.core.fill import NEVER, FillBounds, Times, Traffic, effective_window_s, fill, shortest_window_s
from alertdrill.core.promql import Condition, conditions

NULLS = (
    'sum by (feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))'
    " / sum by (feature) (rate(model_feature_values_total[5s])) > 0.05"
)
MALFORMED = "sum(rate(model_malformed_requests_total[5s])) / sum(rate(model_requests_total[5s])) > 0.02"
P95 = "histogram_quantile(0.95, sum by (le) (rate(model_request_duration_seconds_bucket[{}s]))) > 0.25"
SLOW = f"{P95.format(10)} and {P95.format(4)}"
AMOUNT = {"feature": "amount"}


def shape(expression: str) -> tuple[Condition, ...]:
    found = conditions(expression)
    assert found is not None
    return found


def traffic(
    at: Times, *, malformed: object = None, slow: object = None, null: object = None, delay_s: float = 0.4
) -> Traffic:
    none = np.zeros(len(at), dtype=bool)
    masks = [none if mask is None else np.asarray(mask, dtype=bool) for mask in (malformed, slow, null)]
    return Traffic(
        at,
        masks[0],
        np.where(masks[1], delay_s, 0.0),
        np.zeros(len(at), dtype=int),
        lambda feature: masks[2],
        lambda feature: (),
    )


def steady(share: float, before: float = 0.0) -> tuple[Times, object]:
    """Arrivals at 1,000/s from 20 s before the fault to 15 s after it; a `share` of them hit, evenly spread."""
    at = np.arange(-20_000, 15_000) / 1000 + 0.0005
    rate = np.where(at >= 0, share, before)
    return at, np.diff(np.floor(np.cumsum(rate) + 1e-9), prepend=0) >= 1


def found(expression: str, planned: Traffic, labels: dict[str, str] | None = None) -> FillBounds | None:
    return fill(shape(expression), labels or {}, planned, 0.0, 1.0, 4.0)


@pytest.mark.parametrize(
    ("window_s", "scrape_s", "effective_s"),
    [(5, 1, 4), (10, 1, 9), (4.5, 1, 4), (60, 15, 45), (0.3, 0.1, 0.2), (1, 1, 0)],
)
def test_samples_span_one_interval_less_than_the_window(window_s: float, scrape_s: float, effective_s: float) -> None:
    assert effective_window_s(window_s, scrape_s) == pytest.approx(effective_s)


def test_a_ratio_fills_in_the_share_of_the_window_that_its_threshold_is_of_the_dose() -> None:
    at, null = steady(0.2, before=0.004)
    one = found(NULLS, traffic(at, null=null), AMOUNT)
    assert one is not None
    assert one.low_s == pytest.approx((0.05 - 0.004) / (0.2 - 0.004) * 4, abs=0.02)


def test_a_counter_that_was_never_touched_reads_too_low_at_first() -> None:
    at, malformed = steady(0.1)
    one = found(MALFORMED, traffic(at, malformed=malformed))
    assert one is not None
    assert one.low_s == pytest.approx(0.02 / 0.1 * 4, abs=0.02)
    assert one.high_s == pytest.approx(0.02 / 0.1 * 4 * 5 / 4, abs=0.02)


def test_a_quantile_fills_like_the_ratio_of_slow_answers_once_they_are_answered() -> None:
    at, slow = steady(0.3)
    one = found(P95.format(10), traffic(at, slow=slow))
    assert one is not None
    # Held answers are not counted while they are held, hence a little less than 9 s * 0.05 / 0.3 after the delay.
    assert one.low_s == pytest.approx(0.4 + 0.05 / 0.3 * 9, abs=0.06)


def test_conditions_that_must_hold_together_fill_with_the_slowest() -> None:
    at, slow = steady(0.3)
    planned = traffic(at, slow=slow)
    both, long, short = (found(text, planned) for text in (SLOW, P95.format(10), P95.format(4)))
    assert both is not None
    assert long is not None
    assert short is not None
    assert short.low_s < long.low_s
    assert both.low_s == long.low_s


def test_malformed_requests_have_no_features() -> None:
    at, null = steady(0.2)
    half = np.arange(len(at)) % 2 == 0
    whole, fewer = (
        found(NULLS, traffic(at, null=null, malformed=mask), AMOUNT) for mask in (None, half & ~np.asarray(null))
    )
    assert whole is not None
    assert fewer is not None
    assert fewer.low_s < whole.low_s


def test_a_dose_below_the_threshold_never_fills() -> None:
    at, null = steady(0.04)
    assert found(NULLS, traffic(at, null=null), AMOUNT) == NEVER


def test_a_condition_that_already_holds_fills_at_once() -> None:
    at, null = steady(0.2, before=0.2)
    one = found(NULLS, traffic(at, null=null), AMOUNT)
    assert one is not None
    assert one.low_s == 0.0


def test_a_burst_that_does_not_last_until_firing_has_no_sure_bound() -> None:
    at = np.arange(-20_000, 15_000) / 1000
    burst = traffic(at, null=(at >= 0) & (at < 0.3))
    one = found(NULLS, burst, AMOUNT)
    assert one is not None
    assert one.low_s < 0.3
    assert one.high_s == math.inf


def test_the_evidence_of_the_detector_has_a_spread_over_the_monitor_s_clock() -> None:
    def evidence(feature: str) -> tuple[tuple[Times, object], ...]:
        ticks = np.arange(-100, 100) / 10
        return tuple((ticks + late, ticks >= 0.5) for late in (0.0, 0.03, 0.09))

    at = np.arange(10.0)
    none = np.zeros(10, dtype=bool)
    planned = Traffic(at, none, np.zeros(10), np.zeros(10, dtype=int), lambda feature: none, evidence)
    expression = "model_drift_evidence >= model_drift_threshold"
    one = found(expression, planned, AMOUNT)
    assert one is not None
    assert (one.low_s, one.high_s) == (pytest.approx(0.5), pytest.approx(0.59))
    assert one.likely_s == pytest.approx(0.54)
    assert found(expression, planned) is None


@pytest.mark.parametrize(
    "expression",
    [
        "sum(rate(other[5s])) / sum(rate(another[5s])) > 0.1",
        "histogram_quantile(0.95, sum by (le) (rate(other_bucket[10s]))) > 0.25",
        NULLS.replace("null|missing", "null"),
        NULLS.replace("5s", "1s"),
    ],
)
def test_a_series_or_window_that_cannot_be_predicted_has_no_fill(expression: str) -> None:
    at, null = steady(0.2)
    assert found(expression, traffic(at, null=null), AMOUNT) is None


# Floor and worst against an independent simulation

RULES: dict[str, tuple[str, float]] = {"null": (NULLS, 2.0), "malformed": (MALFORMED, 2.0), "slow": (SLOW, 3.0)}
DOSES = {"null": 0.2, "malformed": 0.1, "slow": 0.3}
START_S = 20.0


def ratio_holds(
    rate: Callable[[str, float, float], float], part: str, window_s: float, threshold: float
) -> Callable[[float], bool]:
    return lambda at: rate(part, at, window_s) / rate("all", at, window_s) > threshold


@pytest.mark.parametrize("earlier_hits", [0, 3], ids=["counter at 0", "counter at 3"])
@pytest.mark.parametrize("kind", list(RULES))
def test_floor_and_worst_hold_in_simulated_drills(kind: str, earlier_hits: int) -> None:
    expression, for_s = RULES[kind]
    outside = []
    for seed in range(25):
        generator = np.random.default_rng(seed)
        at = np.cumsum(generator.exponential(0.01, 3500))
        hit = (generator.random(len(at)) < DOSES[kind]) & (at >= START_S)
        start = float(at[hit.argmax()])
        hit[100 : 100 + earlier_hits] = True
        planned = traffic(at, **{kind: hit})
        low = fill(shape(expression), AMOUNT, planned, start, 1.0, 2.0 + for_s)

        done = at + planned.delay_s
        scrapes = scrape(done, {"all": np.ones(len(at), dtype=bool), kind: hit}, generator, at[-1])
        if kind == "slow":
            # With edges at 0.25 s and 0.4 s, p95 > 0.25 means that more than 5% of the answers took longer.
            parts = [ratio_holds(scrapes.rate, kind, window_s, 0.05) for window_s in (10.0, 4.0)]
        else:
            parts = [ratio_holds(scrapes.rate, kind, 5.0, 0.05 if kind == "null" else 0.02)]
        ttd = fires_after(lambda t, parts=parts: all(holds(t) for holds in parts), start, generator.random(), for_s)

        longest = float((scrapes.visible - scrapes.at).max())
        limits = bounds(low, Settings(round(for_s * 1000), 1000, 1000, 5.0), None, longest)
        assert limits.floor_s is not None
        assert limits.worst_s is not None
        if ttd is None or not limits.floor_s - 0.001 <= ttd <= limits.worst_s + 0.001:
            outside.append((seed, limits, ttd))
    assert outside == []


def test_a_window_that_scrapes_do_not_divide_may_hold_fewer_samples() -> None:
    assert (shortest_window_s(5, 1), effective_window_s(5, 1)) == (4, 4)
    assert (shortest_window_s(5, 2), effective_window_s(5, 2)) == (2, 4)
    assert (shortest_window_s(4, 2), effective_window_s(4, 2)) == (2, 2)
    assert shortest_window_s(3, 2) == 2
