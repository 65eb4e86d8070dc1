"""Several scenarios together, for a terminal: a line each, and how many came to what."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from alertdrill.core.run_result import DrillRun, RunResult
from alertdrill.report.terminal import many, styled

_WORDS = {"no_result": ("no result", "bold red"), "stopped": ("stopped", "yellow"), "not_run": ("not run", "yellow")}


def heading(scenario: str, file: str) -> Text:
    """What stands above the report of one of several drills."""
    return Text.assemble("\n", (scenario, "bold"), (f"  {file}", "dim"))


def run_block(run: RunResult) -> RenderableType:
    """The drills that were asked for, each with its verdict, and the count of each verdict."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("SCENARIO", overflow="fold")
    table.add_column("VERDICT", no_wrap=True)
    table.add_column("TOOK", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for one in run.drills:
        table.add_row(one.scenario, verdict(one), _took(one), (one.why or "").partition("\n")[0])
    counts = Counter(verdict(one).plain for one in run.drills)
    share = f" of {run.of}, shard {run.shard}" if run.shard is not None else ""
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    return Group(Text(), table, Text(), Text(f"{many(len(run.drills), 'scenario')}{share}: {said or 'nothing to run'}"))


def verdict(one: DrillRun) -> Text:
    """One word of what became of a drill."""
    found = one.result or one.repeat
    return styled(found.verdict) if found is not None else Text(*_WORDS[one.status])


def _took(one: DrillRun) -> str:
    if one.repeat is not None:
        return f"{sum(run.ended_at - run.started_at for run in one.repeat.runs):.0f} s"
    return "" if one.result is None else f"{one.result.ended_at - one.result.started_at:.0f} s"
