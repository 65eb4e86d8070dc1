"""Follows "Add a fault in ten minutes" of CONTRIBUTING.md to the letter, in a copy of the checkout."""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?P<language>\w+)(?: title=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NEW_FILES = ("src/alertdrill/core/faults/row/lost_decimals.py", "tests/unit/core/faults/test_lost_decimals.py")


def blocks() -> list[tuple[str, str | None, str]]:
    page = (CHECKOUT / "CONTRIBUTING.md").read_text()
    section = page.partition("\n## Add a fault in ten minutes\n")[2].partition("\n## ")[0]
    return [(found["language"], found["file"], found["text"]) for found in BLOCK.finditer(section)]


def run(copy: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}"
    return done.stdout


def patch(file: Path, diff: str) -> None:
    """Apply a diff whose hunks are single lines; `…` stands for the rest of a line."""
    text = file.read_text()
    lines = diff.splitlines()
    for before, after in itertools.pairwise(lines):
        if before[0] in " -" and after[0] == "+":
            old, new = before[1:].removesuffix("…"), after[1:].removesuffix("…")
            assert text.count(old) == 1, f"{file.name} has not exactly one {old!r}"
            text = text.replace(old, new if before[0] == "-" else f"{old}\n{new}")
    file.write_text(text)


def follow(copy: Path, language: str, file: str | None, text: str) -> None:
    if file is None:
        for line in text.splitlines():
            # Set up already, and all tests would run this one again: the test itself runs what `check` means here.
            run(copy, *shlex.split(line.replace("make generate check", "make --old-file=setup generate")))
    elif language == "diff":
        patch(copy / file, text)
    else:
        assert (copy / file).is_file(), "is written over the copy of a template"
        (copy / file).write_text(text)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout with the new fault in it."""
    copy = tmp_path_factory.mktemp("a checkout") / "alertdrill"
    wanted = ("src", "targets", "scenarios", "tests", "docs", "pyproject.toml", "Makefile", "README.md", "LICENSE")
    for name in wanted:
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        else:
            shutil.copy(CHECKOUT / name, copy / name)
    (copy / ".venv" / "bin").mkdir(parents=True)
    (copy / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (copy / ".venv" / "bin" / "python").chmod(0o755)
    for block in blocks():
        follow(copy, *block)
    return copy


def test_it_ends_with_the_checks():
    assert blocks()[-1] == ("sh", None, "make generate check\n")


def test_the_new_fault_passes_the_battery_and_its_own_test(copy: Path):
    pytest_v = (sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "lost_decimals")
    said = run(copy, *pytest_v, "tests/contract", NEW_FILES[1])
    assert re.search(r"tests/contract/\S+\[.*lost_decimals.*\] PASSED", said), "the battery found it by itself"
    assert "test_touched_values_are_rounded_towards_zero PASSED" in said


def test_the_new_files_pass_the_static_checks(copy: Path):
    python = (sys.executable, "-m")
    run(copy, *python, "ruff", "check", "--no-cache", *NEW_FILES)
    run(copy, *python, "ruff", "format", "--no-cache", "--check", *NEW_FILES)
    run(copy, *python, "mypy", "--cache-dir", os.devnull, NEW_FILES[0])


def test_its_page_is_written_and_its_documentation_is_printed(copy: Path):
    run(copy, sys.executable, "-m", "alertdrill.generate", "--check")
    assert "Rounds `features` towards zero" in (copy / "docs" / "faults" / "lost_decimals.md").read_text()
    assert "Rounds `features` towards zero" in run(copy, sys.executable, "-m", "alertdrill", "faults", "lost_decimals")
