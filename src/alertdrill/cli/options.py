"""Arguments and options that several commands have, or that say much."""

from pathlib import Path
from typing import Annotated

import typer

from alertdrill.core.kept import Kept

Scenarios = Annotated[
    list[str],
    typer.Argument(metavar="SCENARIO…", help="scenario files, folders of them, or names of bundled scenarios"),
]
ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="a scenario file, or the name of a bundled scenario")
]
Rules = Annotated[list[Path] | None, typer.Option("--rules", help="rule file in place of the scenario's (repeatable)")]
Prometheus = Annotated[
    str | None, typer.Option("--prometheus", metavar="URL", help="read this Prometheus, change nothing on it")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="PHASE", help="of the phases with faults run only this one (repeatable)"),
]
Workers = Annotated[int, typer.Option("--workers", metavar="N", help="processes that share the load")]
Distributed = Annotated[
    str | None,
    typer.Option(
        "--distributed",
        metavar="HOST:PORT",
        help="start no workers here: listen at this address, and wait for --workers N of them, each started on its "
        "machine with `alertdrill worker HOST:PORT`",
    ),
]
Repeat = Annotated[
    int,
    typer.Option("--repeat", metavar="N", help="so many drills, one after the other, judged together (repeat.json)"),
]
Jobs = Annotated[
    str,
    typer.Option(
        "--jobs",
        metavar="auto|N",
        help="so many drills at the same time; auto: one for every two CPUs, and one alone where drills use the same "
        "running model, Prometheus or Alertmanager",
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="K/N", help="of N shares of the scenarios, balanced by duration, run the K-th"),
]
FailFast = Annotated[
    bool,
    typer.Option("--fail-fast", help="after the first drill that does not pass, stop those that run, begin no other"),
]
Record = Annotated[
    Kept,
    typer.Option(
        "--record",
        help="which samples are kept: what all rules in scope read; what those of expected and prohibited alerts read; "
        "none: check, explain, replay, coverage and export then refuse the drill",
    ),
]
AllowLocustfile = Annotated[
    bool, typer.Option("--allow-locustfile", help="run the code of the file that load.locustfile names")
]
AllowCommands = Annotated[
    bool, typer.Option("--allow-commands", help="run the programs that a scenario names, such as target.command")
]
Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="where results are kept")]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="also write the result as JSON to FILE")]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="also write JUnit XML: one test case an expectation")
]
Markdown = Annotated[
    Path | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        help="also write Markdown, for a comment on a pull request; to $GITHUB_STEP_SUMMARY it is added",
    ),
]
PlanJson = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="also write all of it as JSON to FILE")]
Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="results/<scenario>/<run id> of a drill, or of several together")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="print the result only, no progress")]
NoColor = Annotated[bool, typer.Option("--no-color", help="no colours (they are off in a pipe anyway)")]
