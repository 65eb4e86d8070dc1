import io

from rich.console import Console

from alertdrill.report.progress import TerminalProgress
from alertdrill.run.ports import ActiveAlert


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
