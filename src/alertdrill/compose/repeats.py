"""Several drills of one scenario, one after the other, and what they found together."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from alertdrill.adapters.results_folder import RepeatFolder
from alertdrill.compose.drill import new_run_id, run_drill
from alertdrill.compose.judging import Outcome, Repeated
from alertdrill.compose.options import Options, read_to_run
from alertdrill.core.errors import AlertdrillError, BadInput, Interrupted
from alertdrill.core.repeat import BrokenRun, Header, seed_of, summarise
from alertdrill.core.result import Result
from alertdrill.core.scenario import Scenario
from alertdrill.run.ports import Progress

MAX_BROKEN = 3
"""So many drills in a row that come to no result end the series."""


@dataclass(frozen=True)
class Watcher:
    """Who is told of a series while it runs.

    Attributes:
        progress: gives the progress of drill `number`, from 1.
        ended: a drill was judged.
        broke: a drill came to no result, and why.
    """

    progress: Callable[[int], AbstractContextManager[Progress]]
    ended: Callable[[int, Outcome], None]
    broke: Callable[[int, AlertdrillError], None]


def run_repeats(name_or_path: str, options: Options, count: int, watcher: Watcher) -> Repeated:
    """Run a scenario several times; its summary is written anew after every drill.

    Call it from the main thread. A Ctrl-C ends the series: the drills that ended are judged together.

    Raises:
        AlertdrillError: the first drill came to no result, so that there is nothing to judge.
    """
    scenario, _ = read_to_run(name_or_path, options)
    series = _Series(scenario, options, count)
    for number in range(1, count + 1):
        seed = seed_of(scenario.seed, number)
        try:
            with watcher.progress(number) as progress:
                outcome = run_drill(name_or_path, replace(options, seed=seed), progress)
            series.took(seed, outcome)
            watcher.ended(number, outcome)
        except (Interrupted, KeyboardInterrupt):
            if not series.runs:
                raise Interrupted("interrupted: no drill had ended") from None
            series.interrupted = True
            break
        except AlertdrillError as error:
            if isinstance(error, BadInput) and not series.runs:
                raise
            watcher.broke(number, error)
            if series.broke(number, seed, error) == MAX_BROKEN:
                break
    return series.judged()


@dataclass
class _Series:
    """The drills of a series so far."""

    scenario: Scenario
    options: Options
    asked: int
    runs: list[tuple[int, Result]] = field(default_factory=list)
    broken: list[BrokenRun] = field(default_factory=list)
    interrupted: bool = False
    in_a_row: int = 0
    folder: RepeatFolder | None = None

    def took(self, seed: int, outcome: Outcome) -> None:
        """A drill was judged."""
        self.runs.append((seed, outcome.result))
        self.in_a_row = 0
        self.interrupted = True  # if the process is killed before the next drill ends, that is how it was
        self.judged()
        self.interrupted = False

    def broke(self, number: int, seed: int, error: AlertdrillError) -> int:
        """A drill came to no result; how many in a row."""
        self.broken.append(BrokenRun(number=number, seed=seed, what=str(error)))
        self.in_a_row += 1
        return self.in_a_row

    def judged(self) -> Repeated:
        """The summary so far, written to its folder."""
        if self.folder is None:
            repeat_id = f"repeat-{new_run_id()}"
            self.folder = RepeatFolder.create(self.options.results, self.scenario.name, repeat_id)
        header = Header(
            repeat_id=self.folder.path.name,
            scenario=self.scenario.name,
            asked=self.asked,
            interrupted=self.interrupted,
            broken=tuple(self.broken),
            false_alarms_fail=self.scenario.false_alarms == "fail",
        )
        result = summarise(header, self.runs)
        self.folder.write(result)
        return Repeated(self.folder.path, result)
