import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drill import Drill, expect, nulls_phase
from recorded_runs import left_behind

from alertdrill.compose import Options, Outcome, Watcher, check_repeat, is_repeat, repeats, run_repeats
from alertdrill.core.errors import AlertdrillError, BadInput, Interrupted, Mistake
from alertdrill.core.repeat import seed_of
from alertdrill.core.result import DrillVerdict


class World:
    """Drills that end as a script says, one word each."""

    def __init__(self, results: Path, script: str) -> None:
        self.options = Options(results=results)
        self.script = script.split()
        self.seeds: list[int | None] = []
        self.told: list[str] = []
        self.so_far: list[bool] = []

    def run_drill(self, name: str, options: Options, progress: object) -> Outcome:
        self.seeds.append(options.seed)
        step = self.script[len(self.seeds) - 1]
        if step == "ctrl-c":
            raise Interrupted("interrupted")
        if step == "between":
            raise KeyboardInterrupt
        if step == "broke":
            raise AlertdrillError("a process died")
        if step == "bad":
            raise BadInput([Mistake("within", "auto", "a number", "write one")])
        drill = Drill(nulls_phase(expect=[expect()]), seed=options.seed)
        drill = drill.detect() if step == "detected" else drill
        return left_behind(options.results, f"run-{len(self.seeds)}", drill)

    def ended(self, number: int, outcome: Outcome) -> None:
        self.told.append(f"{number} {outcome.result.verdict}")
        (summary,) = outcome.folder.parent.glob("repeat-*/repeat.json")
        self.so_far.append(json.loads(summary.read_bytes())["interrupted"])

    def run(self, count: int) -> Any:
        @contextlib.contextmanager
        def progress(number: int) -> Iterator[Any]:
            yield None

        watcher = Watcher(
            progress,
            self.ended,
            lambda number, error: self.told.append(f"{number} broke"),
        )
        return run_repeats("drill", self.options, count, watcher)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    one = World(tmp_path, request.param)
    scenario = Drill(nulls_phase(expect=[expect()])).plan.scenario
    monkeypatch.setattr(repeats, "run_drill", one.run_drill)
    monkeypatch.setattr(repeats, "read_to_run", lambda name, options: (scenario, tmp_path / "drill.yaml"))
    return one


def as_scripted(script: str) -> Any:
    return pytest.mark.parametrize("world", [script], indirect=True)


@as_scripted("detected missed detected")
def test_each_drill_has_a_seed_and_a_folder_of_its_own_and_all_one_summary(world: World) -> None:
    repeated = world.run(3)
    assert world.seeds == [seed_of(7, number) for number in (1, 2, 3)]
    assert world.told == ["1 passed", "2 failed", "3 passed"]
    written = json.loads((repeated.folder / "repeat.json").read_bytes())
    assert [run["run_id"] for run in written["runs"]] == ["run-1", "run-2", "run-3"]
    assert [run["seed"] for run in written["runs"]] == world.seeds
    assert (written["verdict"], written["asked"], written["interrupted"]) == ("failed", 3, False)
    assert world.so_far == [True, True, True]  # what a kill would leave behind
    assert repeated.folder.parent == (repeated.folder.parent / "run-1").parent


@as_scripted("detected detected ctrl-c detected")
def test_after_a_ctrl_c_the_drills_that_ended_are_judged(world: World) -> None:
    repeated = world.run(4)
    assert (len(repeated.result.runs), repeated.result.interrupted) == (2, True)
    assert repeated.result.verdict is DrillVerdict.PASSED


@as_scripted("detected between")
def test_a_ctrl_c_between_two_drills_ends_the_series_too(world: World) -> None:
    assert world.run(4).result.interrupted


@as_scripted("ctrl-c")
def test_a_ctrl_c_in_the_first_drill_leaves_nothing_to_judge(world: World) -> None:
    with pytest.raises(Interrupted):
        world.run(3)
    assert list(world.options.results.iterdir()) == []


@as_scripted("bad detected")
def test_what_no_drill_can_use_is_said_at_once(world: World) -> None:
    with pytest.raises(BadInput):
        world.run(3)


@as_scripted("detected broke detected bad")
def test_a_drill_that_breaks_is_told_and_the_series_goes_on(world: World) -> None:
    result = world.run(4).result
    assert [(one.number, len(result.runs)) for one in result.broken] == [(2, 2), (4, 2)]
    assert result.verdict is DrillVerdict.INCONCLUSIVE


@as_scripted("broke broke broke detected")
def test_three_drills_that_break_in_a_row_end_the_series(world: World) -> None:
    result = world.run(9).result
    assert (len(result.broken), result.runs, len(world.seeds)) == (3, (), 3)


@as_scripted("detected missed")
def test_checking_a_series_judges_its_drills_from_their_folders_to_the_same_bytes(world: World) -> None:
    repeated = world.run(2)
    summary = repeated.folder / "repeat.json"
    before = summary.read_bytes()
    for folder in ("run-1", "run-2"):
        (repeated.folder.parent / folder / "result.json").unlink()
    again, outcomes = check_repeat(repeated.folder)
    assert summary.read_bytes() == before == again.result.to_json()
    assert [outcome.revision for outcome in outcomes] == [None, None]
    assert is_repeat(repeated.folder)
    assert not is_repeat(repeated.folder.parent / "run-1")


@as_scripted("detected missed")
def test_a_series_without_one_of_its_drills_cannot_be_checked(world: World) -> None:
    repeated = world.run(2)
    (repeated.folder.parent / "run-2" / "plan.json").unlink()
    with pytest.raises(BadInput, match="run-2"):
        check_repeat(repeated.folder)
    (repeated.folder / "repeat.json").write_text("{}")
    with pytest.raises(BadInput, match="run --repeat"):
        check_repeat(repeated.folder)
