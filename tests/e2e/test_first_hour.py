"""Does what docs/tutorial.md says, to the letter: its files, its commands, and what it promises of them."""

import hashlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import psutil
import pytest

from tests.e2e.drills import ALERTDRILL
from tests.e2e.model_servers.servers import MLSERVER, serving
from tests.e2e.model_servers.wines import sample_csv

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(?P<language>\w+)(?: title=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_COMMANDS, MOST_S = 10, 300.0
INSTALL_S, COMMAND_S, READY_S = 900.0, 240.0, 60.0


@dataclass
class Hour:
    """A folder in which the tutorial is followed.

    Attributes:
        ended: exit code and output of each command, by its text.
        servers: what was started to go on running.
    """

    folder: Path
    environment: dict[str, str]
    port: int
    ended: dict[str, tuple[int, str]] = field(default_factory=dict)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def follow(self, command: str) -> None:
        """Type one line. The port of the page is replaced by a free one."""
        typed = command.replace("8000", str(self.port))
        if typed.endswith("&"):
            argv = shlex.split(typed.removesuffix("&"))
            self.servers.append(subprocess.Popen(argv, cwd=self.folder, env=self.environment))
            self._wait()
            return
        limit_s = INSTALL_S if command.startswith("pip ") else COMMAND_S
        done = subprocess.run(
            ["sh", "-c", typed], cwd=self.folder, env=self.environment, text=True, timeout=limit_s,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.ended[command] = done.returncode, done.stdout

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.servers[-1].poll() is None, "the server ended"
            time.sleep(0.05)
        pytest.fail("the server does not listen")

    def end(self) -> None:
        """End the servers."""
        for server in self.servers:
            for process in [*psutil.Process(server.pid).children(recursive=True), server]:
                process.kill()
            server.wait(10.0)

    def said(self, start: str) -> tuple[int, str]:
        """Exit code and output of the first command that starts so."""
        return next(ended for command, ended in self.ended.items() if command.startswith(start))


def blocks() -> list[tuple[str, str | None, str]]:
    return [(found["language"], found["file"], found["text"]) for found in BLOCK.finditer(PAGE.read_text())]


def commands() -> list[str]:
    return [line for language, _, text in blocks() if language == "sh" for line in text.splitlines()]


def environment(folder: Path) -> dict[str, str]:
    """`pip` and `python` are those of the model's environment, kept in our cache, and `alertdrill` is this one."""
    pins = next(command for command in commands() if command.startswith("pip install"))
    digest = hashlib.sha256(f"{sys.version_info[:2]}\n{pins}".encode()).hexdigest()[:12]
    venv = platformdirs.user_cache_path("alertdrill") / "model-servers" / f"first-hour-{digest}"
    if not (venv / "bin" / "pip").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    ours = folder / "bin"
    ours.mkdir()
    program = ours / "alertdrill"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m alertdrill "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{ours}:{venv / 'bin'}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Hour:
    """The tutorial, followed to its end."""
    folder = tmp_path_factory.mktemp("first-hour")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    followed = Hour(folder, environment(folder), port)
    for _, file, text in blocks():
        if file is not None:
            (folder / file).write_text(text)
    first, *rest = commands()
    followed.follow(first)
    if followed.ended[first][0] != 0:
        pytest.skip(f"the packages of the model cannot be installed: {followed.ended[first][1][-300:]}")
    began = time.monotonic()
    try:
        for command in rest:
            followed.follow(command)
    finally:
        followed.end()
    followed.ended["in all"] = 0, str(time.monotonic() - began)
    return followed


def results(hour: Hour) -> list[Any]:
    """result.json of the drills, in their order."""
    found = [json.loads(path.read_bytes()) for path in hour.folder.glob("results/loans/*/result.json")]
    return sorted(found, key=lambda one: one["started_at"])


def test_it_takes_at_most_ten_commands_and_five_minutes(hour: Hour) -> None:
    assert len(commands()) <= MOST_COMMANDS
    assert float(hour.said("in all")[1]) < MOST_S


def test_init_says_what_the_page_shows(hour: Hour) -> None:
    code, said = hour.said("alertdrill init")
    shown = next(text for language, _, text in blocks() if language == "text")
    assert code == 0, said
    for line in shown.replace("8000", str(hour.port)).splitlines():
        assert re.sub(r"\d+ ms|\{.*", "", line) in re.sub(r"\d+ ms|\{.*", "", said).splitlines()


def test_the_plan_can_succeed(hour: Hour) -> None:
    assert hour.said("alertdrill plan")[0] == 0


def test_every_fault_is_detected(hour: Hour) -> None:
    code, said = hour.said("alertdrill run loans/drill.yaml")
    assert code == 0, said
    verdicts = {one["phase"]: one["verdict"] for one in results(hour)[0]["expectations"]}
    assert verdicts == dict.fromkeys(("drift", "nulls", "malformed", "errors"), "detected")
    assert "PASSED" in said


def test_a_weak_rule_is_missed_and_that_is_said(hour: Hour) -> None:
    code, said = hour.said("alertdrill run loans/drill.yaml --rules")
    assert code == 1, said
    (only,) = results(hour)[1]["expectations"]
    assert (only["verdict"], only["reason"]["code"]) == ("missed", "never_pending")
    assert "MISSED" in said


def test_mlserver_is_joined_and_drilled_in_two_commands(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text(sample_csv())
    join = ["init", "{url}/v2/models/wine", "--reference", "day.csv", "--try", "--out", "wine"]
    server = tmp_path / "server"
    server.mkdir()
    with serving(MLSERVER, server) as url:
        began = time.monotonic()
        for command in (join, ["run", "wine/drill.yaml", "--json", "result.json"]):
            argv = [*ALERTDRILL, *(part.format(url=url) for part in command)]
            ended = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=COMMAND_S)
            assert ended.returncode == 0, ended.stdout + ended.stderr
    assert time.monotonic() - began < MOST_S
    result = json.loads((tmp_path / "result.json").read_bytes())
    assert {one["verdict"] for one in result["expectations"]} == {"detected"}
    assert "ErrorRateHigh" in {one["alert"] for one in result["also_fired"]}, "nulls are a 500 of MLServer"
