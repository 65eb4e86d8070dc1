import errno
import io
from pathlib import Path

import pytest
from drill import Drill
from recorded_runs import left_behind
from rich.console import Console

from alertdrill.cli import run as command
from alertdrill.compose import Options, Outcome, repeats
from alertdrill.core.errors import AlertdrillError, BadInput, Interrupted, Mistake
from alertdrill.core.repeat import seed_of

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
    monkeypatch.setattr(command, "read_to_run", lambda name, options: None)
    return names


def run(*names: str) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=80, highlight=False, markup=False)
    code = command.run_scenarios(console, list(names), Options(), None, quiet=True)
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
        command.check_again(Console(file=io.StringIO()), tmp_path, None)


def test_check_of_a_drill_says_whether_its_result_still_holds(tmp_path: Path) -> None:
    folder = left_behind(tmp_path, "one", Drill().detect()).folder
    console = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
    assert command.check_again(console, folder, None) == 0
    assert "result.json is what this evidence gives" in console.file.getvalue()
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace('"verdict": "detected"', '"verdict": "missed"'))
    assert command.check_again(console, folder, None) == 0
    assert 'expectations[nulls/NullsHigh].verdict: "missed" → "detected"' in console.file.getvalue()
    assert (folder / "result.json").read_text() != text


def test_several_drills_of_a_scenario_are_judged_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drills = iter([Drill(seed=7).detect(), Drill(seed=seed_of(7, 2))])
    scenario = Drill().plan.scenario

    def run_drill(name: str, options: Options, progress: object) -> Outcome:
        return left_behind(tmp_path, f"run-{options.seed}", next(drills))

    monkeypatch.setattr(command, "read_to_run", lambda name, options: None)
    monkeypatch.setattr(repeats, "read_to_run", lambda name, options: (scenario, tmp_path))
    monkeypatch.setattr(repeats, "run_drill", run_drill)
    console = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
    json = tmp_path / "repeat.json"
    assert command.run_scenarios(console, ["drill"], Options(tmp_path), json, quiet=True, repeat=2) == 1
    assert "FAILED after 2 of 2 runs (1 passed, 1 failed)." in console.file.getvalue()
    (folder,) = tmp_path.glob("drill/repeat-*")
    assert json.read_bytes() == (folder / "repeat.json").read_bytes()
    assert command.check_again(console, folder, None) == 1


def test_a_disk_that_is_full_ends_several_drills_and_those_before_stay_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_drill(name: str, options: Options, progress: object) -> Outcome:
        if options.seed != 7:
            raise OSError(errno.ENOSPC, "No space left on device", "x")
        return left_behind(tmp_path, "run-1", Drill(seed=7).detect())

    monkeypatch.setattr(command, "read_to_run", lambda name, options: None)
    monkeypatch.setattr(repeats, "read_to_run", lambda name, options: (Drill().plan.scenario, tmp_path))
    monkeypatch.setattr(repeats, "run_drill", run_drill)
    console = Console(file=io.StringIO(), width=200, highlight=False, markup=False)
    assert command.run_scenarios(console, ["drill"], Options(tmp_path), None, quiet=True, repeat=3) == 3
    assert "write elsewhere (--results DIR)" in console.file.getvalue()
    (folder,) = tmp_path.glob("drill/repeat-*")
    assert command.check_again(console, folder, None) == 0


def test_a_number_of_drills_below_one_is_refused(started: list[str]) -> None:
    with pytest.raises(BadInput, match="--repeat"):
        command.run_scenarios(Console(file=io.StringIO()), ["bad"], Options(), None, quiet=True, repeat=0)


def test_several_drills_have_no_workers_elsewhere_which_end_with_the_first(started: list[str]) -> None:
    with pytest.raises(BadInput, match="--repeat"):
        command.run_scenarios(
            Console(file=io.StringIO()), ["bad"], Options(distributed="127.0.0.1:9"), None, quiet=True, repeat=2
        )
    assert started == []
