"""What became of each scenario of one command: told as it ends, and all of them together at the end."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import CiFiles
from alertdrill.cli.drill_report import places, report_drill, report_repeat, write_json
from alertdrill.compose.chosen import Choice, Chosen
from alertdrill.core.errors import AlertdrillError
from alertdrill.core.repeat import RepeatResult
from alertdrill.core.result import EXIT_CODES, Result
from alertdrill.core.run_result import INTERRUPTED, DrillRun, RunResult, Status, worst
from alertdrill.report.checks import Place, Suite, of_drill, of_error, of_not_run, of_repeat
from alertdrill.report.run_terminal import heading, run_block


class Ledger:
    """Takes down what became of each drill of a choice, and prints it."""

    def __init__(self, console: Console, choice: Choice, shard: str | None, json: Path | None) -> None:
        """Nothing has ended; what is passed by in folders is said.

        Args:
            console: where to print.
            choice: the drills.
            shard: the share of all that they are.
            json: the file of `--json`: the result of a single scenario, or what became of several.
        """
        self._console, self._choice, self._shard, self._json = console, choice, shard, json
        self._names = Counter(one.scenario.name for one in choice.drills)
        self._runs: dict[Chosen, tuple[DrillRun, Suite]] = {}
        self._interrupted = False
        if choice.passed_by:
            files = ", ".join(map(str, choice.passed_by))
            console.print(f"passed by, as they are no scenarios: {files}", style="dim", soft_wrap=True)

    def label(self, drill: Chosen) -> str:
        """What a drill is called among the others: its name, or its file where others have that name too."""
        return drill.scenario.name if self._names[drill.scenario.name] == 1 else str(drill.path)

    def code_of(self, drill: Chosen) -> int | None:
        """The exit code of one drill; None as long as it has not ended."""
        return self._runs[drill][0].exit_code if drill in self._runs else None

    def drill(self, drill: Chosen, folder: Path, result: Result) -> None:
        """A drill ended with a verdict."""
        self._head(drill)
        code = report_drill(self._console, folder, result, self._single)
        self._take(drill, "ended", of_drill(result, places(drill.path)), code, folder=str(folder), result=result)

    def series(self, drill: Chosen, folder: Path, result: RepeatResult, found: Mapping[str, Place]) -> None:
        """A series of drills ended, or was interrupted."""
        self._head(drill)
        report_repeat(self._console, folder, result, self._single)
        code = INTERRUPTED if result.interrupted else EXIT_CODES[result.verdict]
        self._take(drill, "ended", of_repeat(result, found), code, folder=str(folder), repeat=result)

    def error(self, drill: Chosen, error: AlertdrillError) -> None:
        """A drill came to no result."""
        self._head(drill)
        self._console.print(str(error), style="red", soft_wrap=True)
        suite = of_error(drill.scenario.name, str(error))
        self._take(drill, "no_result", suite, error.exit_code, str(error))

    def stopped(self, drill: Chosen, why: str) -> None:
        """A drill was stopped because of another."""
        self._take(drill, "stopped", of_not_run(drill.scenario.name, "stopped", why), None, why)

    def skip_others(self, why: str, interrupted: bool = False) -> None:
        """Nothing else is begun."""
        self._interrupted |= interrupted
        for drill in self._choice.drills:
            if drill not in self._runs:
                self._take(drill, "not_run", of_not_run(drill.scenario.name, "not run", why), None, why)

    def close(self, ci: CiFiles) -> int:
        """Say what became of all, write it where that was asked for, and give the exit code."""
        found = [self._runs[drill] for drill in self._choice.drills]
        codes = [one.exit_code for one, _ in found if one.exit_code is not None]
        code = worst([*codes, INTERRUPTED] if self._interrupted else codes)
        if self._choice.together:
            run = RunResult(
                exit_code=code,
                shard=self._shard,
                of=self._choice.of,
                drills=tuple(one for one, _ in found),
                passed_by=tuple(map(str, self._choice.passed_by)),
            )
            self._console.print(run_block(run))
            write_json(self._json, run.to_json())
        ci.write([suite for _, suite in found])
        return code

    @property
    def _single(self) -> Path | None:
        return None if self._choice.together else self._json

    def _head(self, drill: Chosen) -> None:
        if self._choice.together:
            self._console.print(heading(drill.scenario.name, str(drill.path)), soft_wrap=True)

    def _take(
        self,
        drill: Chosen,
        status: Status,
        suite: Suite,
        code: int | None,
        why: str | None = None,
        folder: str | None = None,
        result: Result | None = None,
        repeat: RepeatResult | None = None,
    ) -> None:
        run = DrillRun(
            scenario=drill.scenario.name,
            file=str(drill.path),
            status=status,
            exit_code=code,
            why=why,
            folder=folder,
            result=result,
            repeat=repeat,
        )
        self._runs[drill] = run, suite
