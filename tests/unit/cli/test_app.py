import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alertdrill.cli.app import app
from alertdrill.core.errors import BadInput


def test_a_scenario_that_cannot_be_read_is_refused_before_anything_else_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drill.yaml").write_text("version: 2\n")
    monkeypatch.setitem(sys.modules, "alertdrill.cli.plan", None)
    refused = CliRunner().invoke(app, ["plan", str(tmp_path / "drill.yaml")]).exception
    assert isinstance(refused, BadInput)
    assert "got 2, expected 1" in str(refused)


def test_a_command_whose_reader_leaves_does_all_that_it_was_asked_to(tmp_path: Path) -> None:
    recording = Path(__file__).parents[3] / "recordings" / "seed-disaster"
    json = tmp_path / "coverage.json"
    command = [sys.executable, "-m", "alertdrill", "coverage", str(recording), "--json", str(json)]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.exists()


def test_a_terminal_without_the_characters_gets_question_marks_instead_of_an_error() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "alertdrill", "faults", "mojibake"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?" in done.stdout
