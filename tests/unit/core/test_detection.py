import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.detection import Bounds, Hop, Instants, Settings, bounds, waterfall, whole_intervals_ms
from alertdrill.core.fill import FillBounds

SETTINGS = Settings(for_ms=2000, scrape_ms=1000, evaluation_ms=1000, window_s=5.0)
INSTANTS = Instants(fault_start=0, served=10, crossed=1500, previous=700, pending=1700, firing=3700)


def hops(instants: Instants, settings: Settings = SETTINGS, fill_low_s: float | None = None) -> dict[str, float]:
    return {hop.hop: hop.seconds for hop in waterfall(instants, settings, fill_low_s)}


@st.composite
def detections(draw: st.DrawFn) -> tuple[Instants, Settings]:
    after = st.integers(0, 60_000)
    pending = draw(after)
    instants = Instants(
        fault_start=0, served=draw(st.none() | after), crossed=draw(st.none() | st.integers(-5000, 60_000)),
        previous=draw(st.none() | st.integers(-60_000, pending)), pending=pending, firing=pending + draw(after),
    )  # fmt: skip
    interval = st.integers(1, 30_000)
    return instants, Settings(draw(after), draw(interval), draw(interval), draw(st.floats(0, 600)))


@given(detections(), st.none() | st.floats(0, 100))
def test_hops_sum_to_ttd_exactly_and_none_is_negative(
    case: tuple[Instants, Settings], fill_low_s: float | None
) -> None:
    instants, settings = case
    parts = waterfall(instants, settings, fill_low_s)
    assert sum(round(part.seconds * 1000) for part in parts) == instants.firing - instants.fault_start
    assert all(part.seconds >= 0 for part in parts)
    assert all(part.floor_s is None or part.floor_s >= 0 for part in parts)
    order = ["served", "crossed", "pending", "firing", "engine_gap"]
    names = [part.hop for part in parts]
    assert names == [name for name in order if name in names]


def test_every_hop_says_which_setting_moves_it() -> None:
    assert waterfall(INSTANTS, SETTINGS, 1.0) == (
        Hop("served", 0.01, 0.0, None),
        Hop("crossed", 1.49, 0.99, "window: 5s", None),
        Hop("pending", 0.2, 0.0, "evaluation_interval: 1s"),
        Hop("firing", 2.0, 2.0, "for: 2s"),
    )


def test_a_hop_is_as_exact_as_the_clocks_and_the_scrapes_between_which_it_lies() -> None:
    def errors(**known: Any) -> dict[str, float | None]:
        return {part.hop: part.error_s for part in waterfall(replace(INSTANTS, **known), SETTINGS, None)}

    assert errors(clock_error=0.4) == {"served": 0.0, "crossed": 0.0004, "pending": 0.0, "firing": 0.0}
    assert errors(clock_error=0.4, scrapes_apart=900) == {
        "served": 0.0, "crossed": 0.9004, "pending": 0.9, "firing": 0.0,
    }  # fmt: skip
    assert errors(clock_error=0.4, crossed=None) == {"served": 0.0, "pending": 0.0004, "firing": 0.0}
    assert errors() == {"served": 0.0, "crossed": None, "pending": 0.0, "firing": 0.0}


def test_the_floor_of_crossed_leaves_out_what_served_took() -> None:
    slow = Instants(0, 400, 1900, 1000, 2000, 4000)
    assert waterfall(slow, SETTINGS, 1.8)[1].floor_s == pytest.approx(1.4)


def test_unknown_instants_merge_with_the_next_hop() -> None:
    assert hops(Instants(0, None, None, None, 1700, 3700)) == {"pending": 1.7, "firing": 2.0}


def test_without_a_for_clause_pending_is_firing() -> None:
    instant = Settings(0, 1000, 1000, 0.0)
    assert hops(Instants(0, 10, 1500, 700, 1700, 1700), instant)["firing"] == 0.0


def test_evaluations_missed_before_pending_are_the_engine_s_gap() -> None:
    late = Instants(0, 10, 1500, 700, 7700, 9700)
    assert hops(late) == {"served": 0.01, "crossed": 1.49, "pending": 0.2, "firing": 2.0, "engine_gap": 6.0}


def test_evaluations_missed_between_pending_and_firing_are_the_engine_s_gap() -> None:
    late = Instants(0, 10, 1500, 700, 1700, 9700)
    assert hops(late) == {"served": 0.01, "crossed": 1.49, "pending": 0.2, "firing": 2.0, "engine_gap": 6.0}


def test_a_longer_for_moves_its_own_hop_and_no_other() -> None:
    longer = Instants(0, 10, 1500, 700, 1700, 6700)
    more = hops(longer, Settings(5000, 1000, 1000, 5.0))
    assert {k: v for k, v in more.items() if v != hops(INSTANTS)[k]} == {"firing": 5.0}


@pytest.mark.parametrize(
    ("for_ms", "interval_ms", "whole"), [(0, 1000, 0), (1, 1000, 1000), (2000, 1000, 2000), (4000, 3000, 6000)]
)
def test_for_counts_in_whole_intervals(for_ms: int, interval_ms: int, whole: int) -> None:
    assert whole_intervals_ms(for_ms, interval_ms) == whole


def test_bounds_follow_the_formulas() -> None:
    fill = FillBounds(low_s=1.0, likely_s=1.1, high_s=1.4)
    assert bounds(fill, SETTINGS, 300, 0.02) == Bounds(3.0, 3.9, 5.42)
    assert bounds(fill, SETTINGS, None) == Bounds(3.0, 4.1, 5.4)


def test_without_a_fill_there_are_no_bounds() -> None:
    assert bounds(None, SETTINGS, 300) == Bounds(None, None, None)
    assert bounds(FillBounds(1.0, 1.0, math.inf), SETTINGS, None).worst_s is None
