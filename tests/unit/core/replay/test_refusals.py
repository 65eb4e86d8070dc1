import numpy as np
import pytest
from worded import alert, series

from alertdrill.core.promql import selectors
from alertdrill.core.recording import STALE
from alertdrill.core.replay.refusals import by_storage, refusal, unknown_arrival
from alertdrill.core.replay.visibility import Scrapes


@pytest.mark.parametrize(
    ("query", "because"),
    [
        ("rate(x[5m] @ end()) > 1", "@ modifier"),
        ("x offset -5s > 1", "negative offset"),
        ("max_over_time(x[5m:1m] offset -1m) > 1", "negative offset"),
        ("histogram_avg(x) > 1", "native histograms"),
        ("x > ", "cannot be read"),
    ],
)
def test_what_has_another_meaning_in_a_replay_is_refused_by_name(query: str, because: str) -> None:
    assert because in (refusal(alert("A", query)) or "")


@pytest.mark.parametrize("chooses", ["topk", "bottomk"])
def test_what_chooses_among_equal_values_depends_on_the_order_in_which_they_were_stored(chooses: str) -> None:
    assert f"{chooses} takes" in (by_storage(alert("A", f"sum({chooses}(2, x)) > 1")) or "")
    assert by_storage(alert("A", "max(x) > 1")) is None
    assert by_storage(alert("A", "x >")) is None


def test_a_template_that_asks_is_refused_and_others_are_not() -> None:
    asks = alert("A", "x > 1", labels={"who": '{{ query "up" | first | value }}'})
    assert "asks a query" in (refusal(asks) or "")
    assert refusal(alert("A", "x offset 5s > 1", labels={"who": "{{ $labels.query }} {{ $value }}"})) is None


def test_a_series_that_no_scrape_stamped_came_at_an_unknown_time() -> None:
    scrapes = {("model", "m:1"): Scrapes(np.array([0, 1000]), np.array([10, 1010]))}
    target = {"job": "model", "instance": "m:1"}
    (selector,) = selectors("x")
    assert unknown_arrival(selector, [series("x", [0, 1000], **target)], scrapes) is None
    assert unknown_arrival(selector, [series("x", [0, 700], [1.0, STALE], **target)], scrapes) is None
    assert "timestamps of its own" in (unknown_arrival(selector, [series("x", [0, 700], **target)], scrapes) or "")
    assert "remote-written" in (unknown_arrival(selector, [series("x", [0])], scrapes) or "")
