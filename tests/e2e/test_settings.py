"""Each setting moves its own hop and no other."""

from typing import Any

import pytest

from tests.e2e.drills import Drill

pytestmark = pytest.mark.long
SLACK_S = 0.05


def hops(drill: Drill) -> dict[str, Any]:
    one = drill.expectation("nulls")
    assert one["verdict"] == "detected", drill.output
    return {hop["hop"]: hop for hop in one["waterfall"]}


def assert_hops(drill: Drill, *, window_s: float, scrape_s: float, evaluation_s: float, held_s: float) -> None:
    """Every hop lies where its own settings put it: fill and one scrape, one evaluation, `for` on the grid."""
    found = hops(drill)
    effective_s = (-(-window_s // scrape_s) - 1) * scrape_s
    # The floor takes the fewest samples that a window can hold, and is lower still where nulls happen to come early.
    fewest_s = max(window_s // scrape_s - 1, 1) * scrape_s
    assert 0 < found["crossed"]["floor_s"] <= 0.375 * fewest_s
    served_s = found["served"]["seconds"]
    assert found["crossed"]["floor_s"] - served_s <= found["crossed"]["seconds"] + SLACK_S
    assert found["crossed"]["seconds"] <= 0.5 * effective_s + scrape_s + SLACK_S
    assert 0 <= found["pending"]["seconds"] <= evaluation_s + SLACK_S
    assert found["firing"]["seconds"] == held_s
    assert served_s < 0.5


@pytest.mark.drill("usual_settings")
def test_the_usual_settings(drill: Drill) -> None:
    assert_hops(drill, window_s=5, scrape_s=1, evaluation_s=1, held_s=2)


@pytest.mark.drill("longer_for")
def test_a_longer_for_moves_firing_alone(drill: Drill) -> None:
    assert_hops(drill, window_s=5, scrape_s=1, evaluation_s=1, held_s=4)


@pytest.mark.drill("longer_window")
def test_a_longer_window_moves_crossed_alone(drill: Drill) -> None:
    assert_hops(drill, window_s=8, scrape_s=1, evaluation_s=1, held_s=2)


@pytest.mark.drill("slower_scrapes")
def test_slower_scrapes_move_crossed_alone(drill: Drill) -> None:
    assert_hops(drill, window_s=5, scrape_s=2, evaluation_s=1, held_s=2)


@pytest.mark.drill("slower_evaluations")
def test_slower_evaluations_move_pending_alone(drill: Drill) -> None:
    assert_hops(drill, window_s=5, scrape_s=1, evaluation_s=2, held_s=2)
