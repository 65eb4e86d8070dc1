import pytest
from pydantic import ValidationError

from alertdrill.alerting.limits import LONGEST_LATENCY_S, Limits
from alertdrill.monitor.requests import DURATION_EDGES_S


def test_the_budget_is_what_the_objective_leaves_without_the_noise_of_floats() -> None:
    assert Limits().error_budget == 0.001
    assert Limits(objective=0.9999).error_budget == 0.0001


def test_a_latency_that_the_histogram_cannot_show_is_refused() -> None:
    assert max(DURATION_EDGES_S) == LONGEST_LATENCY_S
    assert Limits(latency="9s").latency == 9
    for latency in ("10s", "0s", "1m"):
        with pytest.raises(ValidationError, match="highest bucket"):
            Limits(latency=latency)


def test_a_budget_too_large_to_burn_fast_is_refused() -> None:
    assert Limits(objective="94%").error_budget == 0.06
    with pytest.raises(ValidationError, match="cannot burn"):
        Limits(objective="93%")
    with pytest.raises(ValidationError):
        Limits(objective="100%")
