import io

import pytest
from rich.console import Console

from alertdrill.report.progress import DrillsProgress, TerminalProgress
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


def test_of_several_drills_each_line_names_its_own_and_none_is_wider_than_a_terminal() -> None:
    console = Console(file=io.StringIO(), width=80, highlight=False, markup=False)
    firing = ActiveAlert({"alertname": "FeatureNullRateHigh", "feature": "transactions_1h"}, "firing")
    with DrillsProgress(console, ["nulls", "a-scenario-with-a-long-name"]) as progress:
        short, long = progress.of("nulls"), progress.of("a-scenario-with-a-long-name")
        short.segment("phase nulls", 0.0)
        long.alerts([firing])
        short.traffic(Traffic(99.6, None, {}, 0))
        progress.of("drills/payments/scenario.yaml").note("judging")
        progress.ended("nulls")
    lines = console.file.getvalue().splitlines()
    assert [line.partition(" s  ")[2] for line in lines] == [
        "nulls                 phase nulls",
        "a-scenario-with-a-l…    FeatureNullRateHigh[transactions_1h] firing",
        "…ments/scenario.yaml  judging",
    ]
    assert max(map(len, lines)) <= 80


def test_on_a_terminal_each_running_drill_has_a_line_at_the_bottom() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with DrillsProgress(console, ["nulls", "[slow]"]) as progress:
        nulls, slow = progress.of("nulls"), progress.of("[slow]")
        nulls.segment("phase one", None)
        slow.note("judging")
        nulls.traffic(Traffic(99.6, None, {}, 0))
        console.print("amid")
        progress.ended("[slow]")
        console.print("over")
    assert "2 running\n  [slow]  judging\n  nulls   phase one" in console.file.getvalue()
    assert "1 running\n  nulls   phase one" in console.file.getvalue().rpartition("over")[2]
