import io

import pytest
from rich.console import Console

from alertdrill.report.progress import TerminalProgress
from alertdrill.run.ports import ActiveAlert, Traffic


def lines(quiet: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=80, highlight=False, markup=False)
    firing = ActiveAlert({"alertname": "FeatureDrift", "feature": "amount"}, "firing")
    with TerminalProgress(console, quiet) as progress:
        progress.segment("phase nulls", 0.0)
        progress.alerts([firing])
        progress.alerts([firing])
        progress.alerts([])
        progress.note("judging")
    return [line.split(" s  ", 1)[1] for line in console.file.getvalue().splitlines()]


def test_phases_and_changes_of_alerts_get_a_line_each() -> None:
    assert lines() == ["phase nulls", "  FeatureDrift[amount] firing", "  FeatureDrift[amount] inactive", "judging"]


def test_quiet_is_quiet() -> None:
    assert lines(quiet=True) == []


@pytest.mark.parametrize(
    ("traffic", "shown"),
    [
        (
            Traffic(100.4, (0.0021, 0.02, 1.5), {"422": 7, "timeout": 12, "reset": 1, "500": 3}, 4),
            "100/s · p50 2.1 p95 20 p99 1,500 ms · 4 in flight · 12 timeout · 7 422 · 3 500",
        ),
        (Traffic(99.6, None, {}, 0), "100/s · 0 in flight"),
    ],
)
def test_the_load_stands_below_the_clock_on_a_terminal(traffic: Traffic, shown: str) -> None:
    console = Console(file=io.StringIO(), width=82, force_terminal=True, color_system=None)
    with TerminalProgress(console) as progress:
        progress.segment("phase nulls", None)
        progress.traffic(traffic)
    assert f"phase nulls\n  {shown}" in console.file.getvalue()
