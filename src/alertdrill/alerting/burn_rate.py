"""Multi-window, multi-burn-rate alerts on an error budget of 30 days.

Source: Beyer, Murphy, Rensin, Kawahara and Thorne (eds.), The Site Reliability Workbook, O'Reilly 2018, chapter 5,
"Alerting on SLOs", section 6 and table 5-8. A burn rate of b spends the budget of 30 days in 30/b days. The long window
says that enough of the budget is gone to act, the short one, a twelfth of it, that it still burns, so that the alert
resolves soon after the fault has gone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Burn:
    """One row of the workbook's table 5-8.

    Attributes:
        rate: how many times faster than in 30 days the budget is spent.
        long, short: windows, both of which must see that rate.
    """

    rate: float
    long: str
    short: str


PAGES = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
"""2% of the budget gone within an hour, 5% within six: somebody must act."""

TICKETS = (Burn(1, "3d", "6h"),)
"""10% of the budget gone within three days."""

FASTEST_BURN = max(burn.rate for burn in PAGES)

FAST_WINDOWS = tuple(dict.fromkeys(window for burn in PAGES for window in (burn.short, burn.long)))
"""Windows that pages need, in the order of the table."""

SLOW_WINDOWS = tuple(w for burn in TICKETS for w in (burn.short, burn.long) if w not in FAST_WINDOWS)
"""Windows that tickets need besides."""


def burns(recorded: str, budget: float, table: tuple[Burn, ...]) -> str:
    """PromQL that holds while both windows of a row see its burn rate, for any row.

    Args:
        recorded: a metric recorded for every window, without the window at its end.
        budget: share of requests that may fail.
        table: rows.
    """
    rows = (
        f"{recorded}{burn.long} > {burn.rate:g} * {budget:.12g}\n"
        f"and {recorded}{burn.short} > {burn.rate:g} * {budget:.12g}"
        for burn in table
    )
    return "\nor\n".join(rows)
