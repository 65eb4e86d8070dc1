"""A real process behind real guards: whatever ends, and however, nothing that came of it goes on."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from alertdrill.lifeline import EXIT_LEASE_LOST, EXIT_ORPHANED

GUARDED = [sys.executable, "-P", "-m", "alertdrill.lifeline", "--guard"]
LIMIT_S = 5.0
PROGRAMS = """
import multiprocessing, subprocess, sys, time
from alertdrill.lifeline import emit, on_command
HERE = "echo $$ >> pids; exec sleep 60"

def forked():
    with open("pids", "a") as pids:
        print(multiprocessing.current_process().pid, file=pids)
    time.sleep(60)

subprocess.Popen(["sh", "-c", HERE])
subprocess.Popen(["sh", "-c", HERE], start_new_session=True, env={})
subprocess.run(["sh", "-c", f"(setsid sh -c '{HERE}' &)"], check=True)
multiprocessing.get_context("fork").Process(target=forked).start()
while len(open("pids").readlines() if __import__("os").path.exists("pids") else []) < 4:
    time.sleep(0.01)
emit({"event": "ready"})
"""
WAITS = "time.sleep(60)\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the process group can be ended")


def _gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Guarded:
    """A script behind its guards, as the controller sees it."""

    def __init__(self, folder: Path, text: str, command: list[str] = GUARDED) -> None:
        self._folder = folder
        script = folder / "child.py"
        script.write_text(text)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([*command, str(script)], stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder)

    def read(self) -> dict[str, object]:
        """The next event."""
        assert self.process.stdout is not None
        event: dict[str, object] = json.loads(self.process.stdout.readline())
        return event

    def do(self, **command: object) -> None:
        """Send a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def line(self) -> list[psutil.Process]:
        """The guards and the guarded process, in their order."""
        line = [psutil.Process(self.process.pid)]
        for _ in range(2):
            line.append(line[-1].children()[0])
        return line

    def programs(self) -> list[psutil.Process]:
        """What the script started and still runs."""
        pids = map(int, (self._folder / "pids").read_text().split())
        return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid) and not _gone(psutil.Process(pid))]

    def end(self) -> None:
        """Leave nothing behind, whatever a test found."""
        here = psutil.Process(self.process.pid) if self.process.poll() is None else None
        left = [here, *here.children(recursive=True)] if here is not None else []
        for one in [*left, *(self.programs() if (self._folder / "pids").exists() else [])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Callable[..., Guarded]]:
    """Starts scripts behind guards; they are ended at the end of the test."""
    started: list[Guarded] = []

    def start(text: str, command: list[str] = GUARDED) -> Guarded:
        started.append(Guarded(tmp_path, text, command))
        return started[-1]

    yield start
    for one in started:
        one.end()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _kill(place: int) -> Callable[[Guarded], None]:
    return lambda one: one.line()[place].kill()


def _close_pipe(one: Guarded) -> None:
    assert one.process.stdin is not None
    one.process.stdin.close()


WAYS = {
    "its controller is gone": (_close_pipe, EXIT_ORPHANED),
    "it is terminated": (lambda one: one.process.terminate(), 128 + signal.SIGTERM),
    "its lease runs out": (lambda one: one.do(do="lease", s=0.2), EXIT_LEASE_LOST),
    "its outer guard is killed": (_kill(0), -signal.SIGKILL),
    "its inner guard is killed": (_kill(1), 128 + signal.SIGKILL),
    "it is killed": (_kill(2), 128 + signal.SIGKILL),
}


@linux
@pytest.mark.parametrize(("end", "code"), WAYS.values(), ids=WAYS)
def test_nothing_of_a_tree_goes_on_when(
    end: Callable[[Guarded], None], code: int, guarded: Callable[..., Guarded]
) -> None:
    one = guarded(PROGRAMS + WAITS)
    assert one.read() == {"event": "ready"}
    line = one.line()
    assert len(one.programs()) == 4
    ended_at = time.monotonic()
    end(one)
    assert one.process.wait(LIMIT_S) == code
    _until(lambda: all(map(_gone, line)))  # guards that lost the outer one end after it
    assert not one.programs()
    assert time.monotonic() - ended_at < 1.5


@linux
def test_nothing_of_a_tree_goes_on_when_it_ends_by_itself(guarded: Callable[..., Guarded]) -> None:
    one = guarded(PROGRAMS + "import os\nos._exit(7)\n")
    assert one.process.wait(LIMIT_S) == 7
    assert not one.programs()


@linux
def test_a_process_that_makes_others_without_end_ends_with_them(guarded: Callable[..., Guarded]) -> None:
    forks = 'echo $$ >> pids; f() { [ "$1" -gt 0 ] && (setsid sleep 60 & f $(($1 - 1)) &); }; f 200'
    one = guarded(f"import subprocess, time\nsubprocess.run(['sh', '-c', {forks!r}])\ntime.sleep(60)\n")
    itself = psutil.Process(one.process.pid)
    _until(lambda: len(itself.children(recursive=True)) > 50)
    tree = itself.children(recursive=True)
    one.process.terminate()
    one.process.wait(LIMIT_S)
    assert all(map(_gone, tree))


@pytest.mark.parametrize(
    ("end", "code"), [(_close_pipe, EXIT_ORPHANED), (lambda one: one.process.terminate(), 128 + signal.SIGTERM)]
)
def test_elsewhere_the_process_group_ends(
    end: Callable[[Guarded], None], code: int, guarded: Callable[..., Guarded]
) -> None:
    elsewhere = "from alertdrill import lifeline; lifeline.LINUX = False; lifeline.main()"
    text = "import subprocess, time\nsubprocess.Popen(['sh', '-c', 'echo $$ >> pids; echo >&2; exec sleep 60'])\n"
    one = guarded(text + WAITS, [sys.executable, "-P", "-c", elsewhere, "--guard"])
    assert one.process.stderr is not None
    assert one.process.stderr.readline() == b"\n"
    assert len(one.programs()) == 1
    ended_at = time.monotonic()
    end(one)
    assert one.process.wait(LIMIT_S) == code
    _until(lambda: not one.programs())
    assert time.monotonic() - ended_at < 1.5


def test_commands_and_events_pass_the_guards(guarded: Callable[..., Guarded]) -> None:
    one = guarded("import time\nfrom alertdrill.lifeline import emit, on_command\non_command(emit)\ntime.sleep(60)\n")
    for n in range(3):
        one.do(do="count", n=n, text="x" * 50_000)
    assert [one.read()["n"] for _ in range(3)] == [0, 1, 2]


HOLDS = """
import sys, time
from pathlib import Path
from alertdrill import guard
from alertdrill.lifeline import emit, flush

class Caller:
    def predict(self):
        {holds}

guard.watched(Path(__file__))
for _ in range(6):
    guard.turn(0.4)
    time.sleep(0.1)
emit({{"event": "ready"}})
flush()
Caller().predict()
"""
FOR_EVER = {
    "a loop": "while True: pass",
    "a call that lets other threads run": "time.sleep(60)",
    "a call that lets no thread run": "sum(range(10**12))",
}


@pytest.mark.parametrize("holds", FOR_EVER.values(), ids=FOR_EVER)
def test_what_stands_still_is_ended_and_named(holds: str, guarded: Callable[..., Guarded]) -> None:
    one = guarded(HOLDS.format(holds=holds))
    assert one.read() == {"event": "ready"}
    stood_at = time.monotonic()
    failed = one.read()
    assert one.process.wait(LIMIT_S) == 1
    assert 0.3 < time.monotonic() - stood_at < 3.0
    assert failed["event"] == "failed"
    assert str(failed["why"]).startswith("child.py:9: Caller.predict has kept all users from running for ")
    assert one.process.stderr is not None
    assert one.process.stderr.read().decode().splitlines()[-1] == failed["why"]


@pytest.mark.parametrize("holds", ["while True: pass", "sum(range(10**12))"])
def test_a_lease_ends_what_stands_still(holds: str, guarded: Callable[..., Guarded]) -> None:
    one = guarded(HOLDS.format(holds=holds).replace("turn(0.4)", "turn(60)"))
    assert one.read() == {"event": "ready"}
    one.do(do="lease", s=0.2)
    assert one.process.wait(LIMIT_S) == EXIT_LEASE_LOST


TURNS = """
while True:
    guard.turn(0.4)
    emit({"event": "turn", "at": time.monotonic()})
    time.sleep(0.05)
"""


def test_time_in_which_it_was_stopped_is_not_held_against_it(guarded: Callable[..., Guarded]) -> None:
    turns = (
        'while True:\n    guard.turn(0.4)\n    emit({"event": "turn", "at": time.monotonic()})\n    time.sleep(0.05)\n'
    )
    one = guarded(HOLDS.format(holds="pass") + turns)
    assert one.read() == {"event": "ready"}
    *guards, itself = one.line()
    for stopped in ([itself], [*guards, itself]):
        for process in stopped:
            process.suspend()
        time.sleep(0.9)  # what is watched is that nothing happens
        for process in stopped:
            process.resume()
        resumed_at = time.monotonic()
        while float(str(one.read()["at"])) < resumed_at + 0.5:
            pass


ENDS_SLOWLY = """
from alertdrill import guard
guard.turn(60)
guard.end_within(0.3, {why})
guard.turn(60)
while True: pass
"""


@pytest.mark.parametrize(("why", "code", "said"), [(None, 0, ""), ("they said nothing", 1, "they said nothing\n")])
def test_an_end_that_takes_too_long_is_made_short(
    why: str | None, code: int, said: str, guarded: Callable[..., Guarded]
) -> None:
    one = guarded(ENDS_SLOWLY.format(why=repr(why)))
    assert one.process.wait(LIMIT_S) == code
    assert one.process.stdout is not None
    assert one.process.stderr is not None
    assert one.process.stderr.read().decode() == said
    assert [json.loads(line) for line in one.process.stdout] == ([{"event": "failed", "why": why}] if why else [])
