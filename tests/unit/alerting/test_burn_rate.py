import pytest

from alertdrill.alerting.burn_rate import FAST_WINDOWS, PAGES, SLOW_WINDOWS, TICKETS, burns
from alertdrill.core.promql import selectors

HOURS = {"5m": 1 / 12, "30m": 0.5, "1h": 1.0, "6h": 6.0, "3d": 72.0}


@pytest.mark.parametrize(("burn", "spent"), list(zip((*PAGES, *TICKETS), (0.02, 0.05, 0.10), strict=True)))
def test_the_table_is_the_workbooks(burn, spent) -> None:
    assert burn.rate * HOURS[burn.long] / (30 * 24) == pytest.approx(spent)
    assert HOURS[burn.long] / HOURS[burn.short] == 12


def test_every_window_of_the_table_is_recorded() -> None:
    asked = {selector.name for selector in selectors(burns("r:", 0.001, (*PAGES, *TICKETS)))}
    assert asked == {f"r:{window}" for window in (*FAST_WINDOWS, *SLOW_WINDOWS)}


def test_one_row_holds_while_both_its_windows_burn() -> None:
    assert burns("r:", 0.001, TICKETS) == "r:3d > 1 * 0.001\nand r:6h > 1 * 0.001"
