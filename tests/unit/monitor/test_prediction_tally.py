from collections.abc import Callable

import pytest

from alertdrill.drift.cells import Absent
from alertdrill.drift.e_detector import log_threshold
from alertdrill.monitor.tally import Output, Tally, render

Parse = Callable[[str], dict[tuple[str, ...], float]]
Seen = Callable[[], dict[str, float]]


@pytest.fixture
def tally() -> Tally:
    """Of scores, the first ten of which are their reference."""
    return Tally(Output.SCORE, {"model": "fraud", "version": "1"}, None, 10, log_threshold(1))


@pytest.fixture
def seen(tally: Tally, values: Parse) -> Seen:
    def look() -> dict[str, float]:
        """Sum and count of all scores, rows of the reference, and how many were compared with it."""
        found = values("".join(render([tally])))
        compared = sum(n for name, n in found.items() if name[0] == "model_prediction_values_total")
        short = {name[0].removeprefix("model_prediction_"): n for name, n in found.items() if len(name) == 2}
        return {"compared": compared, **{name: short[name] for name in ("sum", "count", "reference_rows")}}

    return look


def test_each_value_counts_once_whether_it_makes_the_reference_or_is_compared_with_it(tally: Tally, seen: Seen) -> None:
    tally.add([1.0] * 6)
    assert seen() == {"sum": 6, "count": 6, "reference_rows": 0, "compared": 0}
    tally.add([1.0] * 9)
    assert seen() == {"sum": 15, "count": 15, "reference_rows": 10, "compared": 5}


def test_values_that_make_no_reference_are_followed_by_the_next_ones_at_once(tally: Tally, seen: Seen) -> None:
    tally.add([None] * 5 + [Absent.KEY] * 5 + ["x"] * 10 + [1.0] * 10 + [2.0] * 3)
    assert seen() == {"sum": 16, "count": 13, "reference_rows": 10, "compared": 3}
