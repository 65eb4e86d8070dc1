"""A real server with workers under a real keeper: halted as faults say, and gone with it, however it ends."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from alertdrill.adapters.drill_processes import EventJournal
from alertdrill.adapters.free_port import free_ports
from alertdrill.adapters.keeper import TARGET_ENVIRONMENT
from alertdrill.adapters.keeper.answers import refuses
from alertdrill.adapters.processes import ProcessFailed, stop_all
from alertdrill.adapters.target import PreparedTarget
from alertdrill.adapters.target_command import ServeCommand, keeper_argv, keeper_environ
from alertdrill.compose.crew import Crew
from alertdrill.compose.wire import Wire
from alertdrill.lifeline import EXIT_LEASE_LOST
from alertdrill.protocols.rows import parse_csv
from alertdrill.protocols.schema import Schema

SERVER = Path(__file__).with_name("tiny_server.py")
LIMIT_S = 5.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="states of processes are read on Linux")


def eventually(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + LIMIT_S
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class Kept:
    """A server under its keeper, as the controller sees it."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        ready: str = "/",
        ready_timeout_s: float = 5.0,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.log = folder, folder / "target.log"
        (self.port,) = free_ports(1)
        (folder / "pids").mkdir()
        words = [sys.executable, str(SERVER), str(self.port), str(folder / "pids"), *options]
        argv = keeper_argv(ServeCommand(words, folder, ready, ready_timeout_s), self.port, self.log)
        pipe = subprocess.PIPE
        command = [sys.executable, "-P", "-m", "alertdrill.lifeline", *argv]
        env = {**os.environ, **keeper_environ(environ or {})}
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env)

    def read(self) -> dict[str, Any]:
        """The next event."""
        assert self.process.stdout is not None
        event: dict[str, Any] = json.loads(self.process.stdout.readline())
        return event

    def do(self, **command: object) -> None:
        """Send a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def halt(self, how: str) -> dict[str, Any]:
        """Halt it now, and read what came of that."""
        self.do(do="halt", injection="p/x", k=3, how=how, at=time.time())
        return self.read()

    def restore(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """End the halt, and read that."""
        self.do(do="restore", at=time.time())
        return self.read(), self.read()

    def programs(self) -> list[psutil.Process]:
        """The server's processes that have not ended."""
        found = []
        for name in os.listdir(self.folder / "pids"):
            with contextlib.suppress(psutil.NoSuchProcess):
                one = psutil.Process(int(name))
                if one.status() != psutil.STATUS_ZOMBIE:
                    found.append(one)
        return found

    def answers(self) -> bool:
        """Whether it does."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=0.3) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def line(self) -> list[psutil.Process]:
        """The guards and the keeper, in their order."""
        line = [psutil.Process(self.process.pid)]
        for _ in range(2):
            line.append(line[-1].children()[0])
        return line

    def end(self) -> None:
        """Leave nothing behind, whatever a test found."""
        self.process.communicate(timeout=LIMIT_S)  # the guards end what they know when the pipe closes
        for one in self.programs():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


Keep = Callable[..., Kept]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    started: list[Kept] = []

    def start(*options: str, wait: bool = True, **changes: Any) -> Kept:
        started.append(Kept(tmp_path, *options, **changes))
        if wait:
            assert started[0].read() == {"event": "ready", "port": started[0].port}
            assert eventually(lambda: len(started[0].programs()) == (3 if "--workers" in options else 1))
        return started[0]

    yield start
    for one in started:
        one.end()


def test_a_pause_stops_every_process_and_the_end_lets_all_go_on(keep: Keep) -> None:
    kept = keep("--workers", "2")
    asked_at, programs = time.time(), kept.programs()
    begun = kept.halt("stop")
    assert (begun["injection"], begun["k"], begun["why"], begun["until_at"]) == ("p/x", 3, "", None)
    assert set(begun["pids"]) == {one.pid for one in programs}
    assert asked_at < begun["from_at"] < time.time()
    assert {one.status() for one in programs} == {psutil.STATUS_STOPPED}
    assert not kept.answers()
    over, restored = kept.restore()
    assert restored["event"] == "restored"
    assert begun["from_at"] < over["until_at"] <= time.time()
    assert kept.answers()
    assert {one.pid for one in kept.programs()} == set(begun["pids"])


def test_a_kill_reaps_every_process_and_the_end_starts_it_again(keep: Keep) -> None:
    kept = keep("--workers", "2")
    begun = kept.halt("kill")
    assert (len(begun["pids"]), begun["why"]) == (3, "")
    assert kept.programs() == []
    assert refuses(kept.port)
    over, restored = kept.restore()
    assert restored["event"] == "restored"
    assert over["until_at"] > begun["from_at"]
    assert kept.answers()
    assert not {one.pid for one in kept.programs()} & set(begun["pids"])
    assert kept.log.read_text().count("tiny server begins") == 2


def test_a_restart_starts_it_again_at_once(keep: Keep) -> None:
    kept = keep()
    begun, over = kept.halt("restart"), kept.read()
    assert (len(begun["pids"]), begun["why"]) == (1, "")
    assert over["until_at"] >= begun["from_at"]
    assert eventually(kept.answers)
    kept.do(do="restore", at=time.time())
    assert kept.read()["event"] == "restored"


def test_somebody_else_who_lets_the_processes_go_on_is_noticed(keep: Keep) -> None:
    kept = keep()
    (program,) = kept.programs()
    kept.halt("stop")
    program.send_signal(signal.SIGCONT)
    over, _ = kept.restore()
    assert over["why"] == "something else let the processes go on"


def test_stopping_it_ends_a_paused_tree_and_nothing_answers_any_more(keep: Keep) -> None:
    kept = keep("--workers", "2")
    kept.halt("stop")
    kept.do(do="stop")
    events = [kept.read(), kept.read()]
    assert [one["event"] for one in events] == ["halted", "stopped"]
    assert events[0]["until_at"] is not None
    assert events[1]["answers"] is False
    assert kept.process.wait(LIMIT_S) == 0
    assert kept.programs() == []


@pytest.mark.parametrize("which", [0, 1, 2])
def test_whichever_of_guards_and_keeper_is_killed_a_paused_tree_is_gone(keep: Keep, which: int) -> None:
    kept = keep("--workers", "2")
    kept.halt("stop")
    kept.line()[which].kill()
    assert eventually(lambda: kept.programs() == [])
    assert refuses(kept.port)


def test_a_controller_that_is_gone_leaves_nothing_of_a_paused_tree(keep: Keep) -> None:
    kept = keep("--workers", "2")
    kept.halt("stop")
    assert kept.process.stdin is not None
    kept.process.stdin.close()
    kept.process.stdin = None
    assert eventually(lambda: kept.programs() == [])


def test_a_lease_that_is_not_renewed_ends_a_paused_tree(keep: Keep) -> None:
    kept = keep()
    kept.halt("stop")
    kept.do(do="lease", s=0.3)
    assert kept.process.wait(LIMIT_S) == EXIT_LEASE_LOST
    assert kept.programs() == []


def test_a_server_that_ends_by_itself_ends_the_keeper_with_its_last_lines(keep: Keep) -> None:
    kept = keep()
    kept.programs()[0].kill()
    assert kept.process.wait(LIMIT_S) == 1
    assert kept.process.stderr is not None
    said = kept.process.stderr.read().decode()
    assert "tiny server begins\n" in said
    assert said.endswith("ended with exit code -9 by itself\n")


def test_a_server_that_is_never_ready_is_ended(keep: Keep) -> None:
    kept = keep(wait=False, ready="/never", ready_timeout_s=0.5)
    assert kept.process.wait(LIMIT_S) == 1
    assert kept.process.stderr is not None
    assert f"did not answer 2xx at /never of port {kept.port} within 0.5 s" in kept.process.stderr.read().decode()
    assert kept.programs() == []


def test_variables_of_the_target_are_not_the_keepers_own(keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "resource.py").write_text("raise ImportError('a module of the service, named like one of Python')\n")
    kept = keep(environ={"PYTHONPATH": str(tmp_path), "COLOUR": "red"})
    (program,) = kept.programs()
    environ = program.environ()
    assert (environ["PYTHONPATH"], environ["COLOUR"]) == (str(tmp_path), "red")
    assert TARGET_ENVIRONMENT not in environ


def test_only_the_end_of_a_long_log_is_read(keep: Keep) -> None:
    kept = keep()
    with kept.log.open("ab") as log:
        log.truncate(1 << 40)  # a hole of a terabyte: whoever read it whole would have no memory left
        log.seek(0, os.SEEK_END)
        log.write(b"\nlast words\n")
    kept.programs()[0].kill()
    assert kept.process.wait(LIMIT_S) == 1
    assert kept.process.stderr is not None
    assert "last words\n" in kept.process.stderr.read().decode()


async def test_a_command_that_does_not_stay_is_told_with_its_last_words_and_what_to_mend(tmp_path: Path) -> None:
    command = ServeCommand(["sh", "-c", r"printf 'red \033[31m\n'; exit 0"], tmp_path, "/health", 5.0)
    schema = Schema.model_validate({"features": [{"name": "a", "kind": "number"}]})
    rows = parse_csv("a\n1\n", schema)
    target = PreparedTarget("model", "1", schema, tmp_path / "sample.csv", rows, "", command=command)
    wire = Wire(target, Crew(), None, tmp_path, lambda _: None)
    heard = cast(EventJournal, SimpleNamespace(of_keeper=lambda _: None))
    try:
        with pytest.raises(ProcessFailed) as error:
            await wire.kept_model("", tmp_path / "target.log", heard)
    finally:
        await stop_all(wire.children)
    said = str(error.value).splitlines()
    assert said[1:3] == ["    red \N{REPLACEMENT CHARACTER}[31m", "    sh ended with exit code 0 before it was ready"]
    assert said[3].startswith(f"  fix: see in {tmp_path}/target.log what it said")
    assert said[3].endswith("stay in the foreground, listen at {port} and answer 2xx at /health")
