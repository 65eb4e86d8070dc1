"""A real child process ends with its pipe, whatever it is doing."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertdrill.lifeline import EXIT_LEASE_LOST, EXIT_ORPHANED

LIFELINE = [sys.executable, "-P", "-m", "alertdrill.lifeline"]
IMPORTS_FOR_LONG = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"
IMPORTS_BUSILY = "print('importing', flush=True)\nsum(i * i for i in range(10**10))\n"
FAILS_AT_COMMANDS = """
import time
from alertdrill.lifeline import emit, on_command
def fail(command): raise RuntimeError("the loop is closed")
on_command(fail)
emit({"event": "ready"})
time.sleep(60)
"""


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Children of a test; they are killed at its end."""
    children: list[subprocess.Popen[bytes]] = []
    yield children
    for child in children:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


def start(children: list["subprocess.Popen[bytes]"], *arguments: str) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    children.append(subprocess.Popen([*LIFELINE, *arguments], stdin=pipe, stdout=pipe, stderr=pipe))
    return children[-1]


def script(folder: Path, text: str) -> str:
    path = folder / "child.py"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("text", [IMPORTS_FOR_LONG, IMPORTS_BUSILY])
def test_a_child_that_is_still_importing_ends_with_its_pipe(
    text: str, tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    child = start(started, script(tmp_path, text))
    assert child.stdin is not None
    assert child.stderr is not None
    assert child.stderr.readline() == b"importing\n"  # what is printed goes to standard error
    closed_at = time.monotonic()
    child.stdin.close()
    assert child.wait(5.0) == EXIT_ORPHANED
    assert time.monotonic() - closed_at < 1.0


READS_STANDARD_INPUT = """
import subprocess, sys, time
from alertdrill.lifeline import emit, on_command
print("read", repr(sys.stdin.read()), repr(subprocess.run(["cat"], capture_output=True, text=True).stdout), flush=True)
on_command(emit)
time.sleep(60)
"""


def test_nothing_that_reads_standard_input_takes_commands_away(
    tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    child = start(started, script(tmp_path, READS_STANDARD_INPUT))
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    threading.Timer(5.0, child.kill).start()  # else a child that waits for its input would be waited for
    assert child.stderr.readline() == b"read '' ''\n"
    child.stdin.write(b'{"do":"go"}\n')
    child.stdin.flush()
    assert child.stdout.readline() == b'{"do":"go"}\n'


def test_a_child_whose_lease_runs_out_ends(tmp_path: Path, started: list["subprocess.Popen[bytes]"]) -> None:
    child = start(started, script(tmp_path, IMPORTS_FOR_LONG))
    assert child.stdin is not None
    child.stdin.write(b'{"do":"lease","s":0.2}\n')
    child.stdin.flush()
    assert child.wait(5.0) == EXIT_LEASE_LOST


GRANTS_ITSELF = """
import time
from alertdrill import lifeline
assert lifeline.lease_left_s() is None
for _ in range(4):
    lifeline.grant(0.4)
    assert 0.3 < lifeline.lease_left_s() <= 0.4
    time.sleep(0.2)
print("granted", flush=True)
time.sleep(60)
"""


def test_a_child_that_grants_itself_a_lease_ends_when_it_does_so_no_more(
    tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    child = start(started, script(tmp_path, GRANTS_ITSELF))
    assert child.stderr is not None
    assert child.stderr.readline() == b"granted\n"
    granted_at = time.monotonic()
    assert child.wait(5.0) == EXIT_LEASE_LOST
    assert time.monotonic() - granted_at < 1.0


@pytest.mark.parametrize("command", [b"not json\n", b'{"do":"flush"}\n'])
def test_a_child_that_cannot_be_watched_any_more_does_not_go_on(
    command: bytes, tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    child = start(started, script(tmp_path, FAILS_AT_COMMANDS))
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == b'{"event":"ready"}\n'
    child.stdin.write(command)
    child.stdin.flush()
    assert child.wait(5.0) == EXIT_ORPHANED


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the lifeline stays as a watchdog")
def test_a_program_is_not_started_for_a_parent_that_is_gone(tmp_path: Path) -> None:
    here, there = os.pipe()
    os.close(there)
    ran = tmp_path / "ran"
    ended = subprocess.run([*LIFELINE, "--exec", "touch", str(ran)], stdin=here, timeout=10)
    os.close(here)
    assert ended.returncode == EXIT_ORPHANED
    assert not ran.exists()


def test_a_program_is_started_for_a_parent_that_lives(tmp_path: Path, started: list["subprocess.Popen[bytes]"]) -> None:
    assert start(started, "--exec", "touch", str(tmp_path / "ran")).wait(10.0) == 0
    assert (tmp_path / "ran").exists()
