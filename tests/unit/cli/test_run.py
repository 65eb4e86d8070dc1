import errno
import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drill import Drill
from recorded_runs import left_behind
from rich.console import Console

from alertdrill.cli import run as command
from alertdrill.cli.check import check_again
from alertdrill.cli.ci_files import CiFiles
from alertdrill.cli.several import Several
from alertdrill.compose import Options, Outcome, repeats
from alertdrill.compose.chosen import Choice, Chosen
from alertdrill.compose.jobs import JobEnd, JobsWatcher
from alertdrill.core.errors import AlertdrillError, BadInput, Interrupted, Mistake
from alertdrill.core.repeat import seed_of
from alertdrill.core.run_result import RunResult

ERRORS: dict[str, AlertdrillError] = {
    "bad": BadInput([Mistake("load.rate", "5", "a rate", "write 5/s")]),
    "lost": AlertdrillError("a process died"),
    "stopped": Interrupted("interrupted"),
}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def run_drill(name: str, options: Options, progress: object) -> None:
        names.append(name)
        raise ERRORS[name]

    monkeypatch.setattr(command, "run_drill", run_drill)
    monkeypatch.setattr(command, "choose", chosen)
    return names


def chosen(names: list[str], options: Options, shard: object) -> Choice:
    """A choice of drills that are named by what they come to."""
    drills = tuple(Chosen(name, Path(name), Drill().plan.scenario.model_copy(update={"name": name})) for name in names)
    return Choice(drills, len(drills), len(names) > 1)


def run(
    *names: str, several: Several = command.ONE_AFTER_ANOTHER, json: Path | None = None, junit: Path | None = None
) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=80, highlight=False, markup=False)
    ci = CiFiles(junit)
    code = command.run_scenarios(console, list(names), Options(), json, quiet=True, ci=ci, several=several)
    return code, console.file.getvalue()


def test_an_error_is_a_message_and_its_exit_code(started: list[str]) -> None:
    code, text = run("bad")
    assert code == 2
    assert "got 5, expected a rate" in text


def test_bad_input_outranks_an_inconclusive_drill(started: list[str]) -> None:
    assert run("lost", "bad")[0] == 2
    assert started == ["lost", "bad"]


def test_an_interrupt_ends_the_list_and_outranks_all(started: list[str]) -> None:
    assert run("bad", "stopped", "lost")[0] == 130
    assert started == ["bad", "stopped"]


def test_one_bad_scenario_keeps_all_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "run_drill", lambda *_: pytest.fail("a drill was started"))
    with pytest.raises(BadInput, match="no such file"):
        run("seed-disaster", "no-such-scenario")


def test_a_json_file_that_cannot_be_written_is_refused_before_the_drill(tmp_path: Path, started: list[str]) -> None:
    for path in (tmp_path, tmp_path / "none" / "x.json"):
        with pytest.raises(BadInput, match="--json"):
            command.run_scenarios(Console(file=io.StringIO()), ["bad"], Options(), path, quiet=True)
    assert started == []


def test_what_cannot_be_written_names_the_option_that_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[str]
) -> None:
    def full(name: str, options: Options, progress: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(options.results / "x"))

    monkeypatch.setattr(command, "run_drill", full)
    code, text = run("any")
    assert (code, text) == (
        3,
        "results/x: No space left on device\n  fix: free space, or write elsewhere (--results DIR)\n",
    )


def test_a_reader_who_left_is_no_matter_of_the_results(monkeypatch: pytest.MonkeyPatch, started: list[str]) -> None:
    def left(name: str, options: Options, progress: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(command, "run_drill", left)
    with pytest.raises(BrokenPipeError):
        run("any")


def test_check_of_a_folder_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="journal"):
        check_again(Console(file=io.StringIO()), tmp_path, None)


def test_check_of_a_drill_says_whether_its_result_still_holds(tmp_path: Path) -> None:
    folder = left_behind(tmp_path, "one", Drill().detect()).folder
    console = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
    assert check_again(console, folder, None) == 0
    assert "result.json is what this evidence gives" in console.file.getvalue()
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace('"verdict": "detected"', '"verdict": "missed"'))
    assert check_again(console, folder, None) == 0
    assert 'expectations[nulls/NullsHigh].verdict: "missed" → "detected"' in console.file.getvalue()
    assert (folder / "result.json").read_text() != text


def test_several_drills_of_a_scenario_are_judged_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drills = iter([Drill(seed=7).detect(), Drill(seed=seed_of(7, 2))])
    scenario = Drill().plan.scenario

    def run_drill(name: str, options: Options, progress: object) -> Outcome:
        return left_behind(tmp_path, f"run-{options.seed}", next(drills))

    monkeypatch.setattr(command, "choose", chosen)
    monkeypatch.setattr(repeats, "read_to_run", lambda name, options: (scenario, tmp_path))
    monkeypatch.setattr(repeats, "run_drill", run_drill)
    console = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
    json = tmp_path / "repeat.json"
    assert command.run_scenarios(console, ["drill"], Options(tmp_path), json, quiet=True, repeat=2) == 1
    assert "FAILED after 2 of 2 runs (1 passed, 1 failed)." in console.file.getvalue()
    (folder,) = tmp_path.glob("drill/repeat-*")
    assert json.read_bytes() == (folder / "repeat.json").read_bytes()
    assert check_again(console, folder, None) == 1


def test_a_disk_that_is_full_ends_several_drills_and_those_before_stay_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_drill(name: str, options: Options, progress: object) -> Outcome:
        if options.seed != 7:
            raise OSError(errno.ENOSPC, "No space left on device", "x")
        return left_behind(tmp_path, "run-1", Drill(seed=7).detect())

    monkeypatch.setattr(command, "choose", chosen)
    monkeypatch.setattr(repeats, "read_to_run", lambda name, options: (Drill().plan.scenario, tmp_path))
    monkeypatch.setattr(repeats, "run_drill", run_drill)
    console = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
    assert command.run_scenarios(console, ["drill"], Options(tmp_path), None, quiet=True, repeat=3) == 3
    assert "write elsewhere (--results DIR)" in console.file.getvalue()
    (folder,) = tmp_path.glob("drill/repeat-*")
    assert check_again(console, folder, None) == 0


def test_a_number_of_drills_below_one_is_refused(started: list[str]) -> None:
    with pytest.raises(BadInput, match="--repeat"):
        command.run_scenarios(Console(file=io.StringIO()), ["bad"], Options(), None, quiet=True, repeat=0)


def test_several_drills_have_no_workers_elsewhere_which_end_with_the_first(started: list[str]) -> None:
    with pytest.raises(BadInput, match="--repeat"):
        command.run_scenarios(
            Console(file=io.StringIO()), ["bad"], Options(distributed="127.0.0.1:9"), None, quiet=True, repeat=2
        )
    assert started == []


def test_workers_elsewhere_end_with_the_first_of_several_scenarios_too(started: list[str]) -> None:
    with pytest.raises(BadInput, match="2 scenarios beside --distributed"):
        command.run_scenarios(
            Console(file=io.StringIO()), ["bad", "lost"], Options(distributed="127.0.0.1:9"), None, quiet=True
        )
    assert started == []


def came_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **codes: int) -> None:
    """Drills that exit with codes, by their names: 0 passes, 1 fails, others raise."""

    def run_drill(name: str, options: Options, progress: object) -> Outcome:
        if codes[name] > 1:
            error = AlertdrillError(f"{name} broke")
            error.exit_code = codes[name]
            raise error
        return left_behind(tmp_path, name, Drill() if codes[name] else Drill().detect())

    monkeypatch.setattr(command, "run_drill", run_drill)
    monkeypatch.setattr(command, "choose", chosen)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((0, 0), 0), ((0, 3), 3), ((3, 1), 1), ((1, 2), 2), ((2, 4), 4), ((4, 130), 130), ((3, 0, 1), 1)],
)
def test_the_exit_code_of_several_is_the_first_of_130_4_2_1_3_0_that_occurs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], expected: int
) -> None:
    names = "abc"[: len(codes)]
    came_to(tmp_path, monkeypatch, **dict(zip(names, codes, strict=True)))
    assert run(*names)[0] == expected


def test_fail_fast_begins_no_drill_after_one_that_did_not_pass_and_says_so_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_to(tmp_path, monkeypatch, a=0, b=1, c=0)
    json, junit = tmp_path / "run.json", tmp_path / "run.xml"
    code, said = run("a", "b", "c", several=Several(fail_fast=True), json=json, junit=junit)
    found = RunResult.model_validate_json(json.read_bytes())
    assert (code, found.exit_code) == (1, 1)
    assert [(one.scenario, one.status, one.exit_code) for one in found.drills] == [
        ("a", "ended", 0),
        ("b", "ended", 1),
        ("c", "not_run", None),
    ]
    assert found.drills[2].why == "--fail-fast: b did not pass"
    assert "3 scenarios: 1 passed, 1 failed, 1 not run" in said
    (last,) = ElementTree.parse(junit).getroot().findall("testsuite[@name='c']/testcase")
    assert last.find("skipped") is not None


def test_an_interrupt_leaves_the_others_not_run(started: list[str], tmp_path: Path) -> None:
    json = tmp_path / "run.json"
    run("bad", "stopped", "lost", json=json)
    found = RunResult.model_validate_json(json.read_bytes())
    assert [one.status for one in found.drills] == ["no_result", "no_result", "not_run"]
    assert found.drills[2].why == "interrupted before it began"


def test_several_at_once_are_told_in_the_order_in_which_they_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_jobs(drills: object, options: Options, jobs: int, fail_fast: bool, watcher: JobsWatcher) -> None:
        first, second, third, _ = drills
        assert (jobs, fail_fast) == (3, True)
        outcome = left_behind(tmp_path, "c", Drill())
        watcher.ended(third, JobEnd(outcome.folder, outcome.result))
        watcher.ended(first, JobEnd())
        outcome = left_behind(tmp_path, "b", Drill().detect())
        watcher.ended(second, JobEnd(outcome.folder, outcome.result))

    monkeypatch.setattr(command, "choose", chosen)
    monkeypatch.setattr(command, "run_jobs", run_jobs)
    json = tmp_path / "run.json"
    code, said = run("a", "b", "c", "d", several=Several("3", fail_fast=True), json=json)
    found = RunResult.model_validate_json(json.read_bytes())
    assert code == 1
    assert [one.status for one in found.drills] == ["stopped", "ended", "ended", "not_run"]
    assert {one.why for one in found.drills} == {None, "--fail-fast: c did not pass"}
    assert max(map(len, said.splitlines())) <= 120


def test_interrupted_jobs_outrank_what_they_came_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_jobs(drills: object, options: Options, jobs: int, fail_fast: bool, watcher: JobsWatcher) -> None:
        watcher.ended(drills[0], JobEnd(error=Interrupted("interrupted")))
        raise Interrupted("interrupted")

    monkeypatch.setattr(command, "choose", chosen)
    monkeypatch.setattr(command, "run_jobs", run_jobs)
    code, said = run("a", "b", "c", several=Several("2"))
    assert code == 130
    assert "3 scenarios: 1 no result, 2 not run" in said


def test_a_share_without_scenarios_has_passed_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "choose", lambda *_: Choice((), 3, True))
    json = tmp_path / "run.json"
    code, said = run("a", several=Several(shard="4/4"), json=json)
    assert (code, RunResult.model_validate_json(json.read_bytes()).of) == (0, 3)
    assert "0 scenarios of 3, shard 4/4: nothing to run" in said
