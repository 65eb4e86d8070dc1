import errno
import io
from pathlib import Path

import pytest
from rich.console import Console

from alertdrill.cli import run as command
from alertdrill.compose import Options
from alertdrill.core.errors import AlertdrillError, BadInput, Interrupted, Mistake

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
