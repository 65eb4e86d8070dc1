"""Whole drills for the end-to-end tests: each is run once, several at the same time, and asked about by many tests."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

TIMEOUT_S = 240.0
HAMPERED = "load_under_rate"
ALERTDRILL = [sys.executable, "-m", "alertdrill"]
BUNDLED_RULES = Path(__file__).parents[2] / "targets" / "fraud" / "rules" / "alerts.drill.yml"


@dataclass(frozen=True)
class Drill:
    """A drill that has ended."""

    exit_code: int
    output: str
    folder: Path

    @property
    def result(self) -> Any:
        """result.json."""
        return json.loads((self.folder / "result.json").read_bytes())

    @property
    def samples(self) -> Any:
        """The recording."""
        return json.loads(gzip.decompress((self.folder / "samples.json.gz").read_bytes()))

    @property
    def journal(self) -> list[Any]:
        """The records of the journal."""
        return [json.loads(line) for line in (self.folder / "journal.jsonl").read_bytes().splitlines()]

    @property
    def hampered(self) -> bool:
        """Whether a verdict is inconclusive because the load could not be sent in time."""
        results = [json.loads(path.read_bytes()) for path in self.folder.parent.glob("*/result.json")]
        return any(
            (one["reason"] or {}).get("code") == HAMPERED for result in results for one in result["expectations"]
        )

    def expectation(self, phase: str) -> Any:
        """The first expectation of a phase."""
        return next(one for one in self.result["expectations"] if one["phase"] == phase)


class Running:
    """A drill that runs: its output so far, and its processes."""

    def __init__(self, argv: list[str], results: Path) -> None:
        self._results = results
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "COLUMNS": "200"}
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line)

    def wait_for(self, text: str, timeout_s: float = 120.0) -> None:
        """Wait until the output has `text`."""
        deadline = time.monotonic() + timeout_s
        while not any(text in line for line in list(self._lines)):
            assert time.monotonic() < deadline, "".join(self._lines)
            assert self._process.poll() is None, "".join(self._lines)
            time.sleep(0.05)

    def kill_child(self, name: str) -> None:
        """SIGKILL to the process below the drill whose command line has `name`."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        found = next(child for child in children if name in child.cmdline()[0])
        found.send_signal(signal.SIGKILL)

    def arguments(self) -> str:
        """The command lines of the drill and of the processes below it."""
        own = psutil.Process(self._process.pid)
        return "\n".join(" ".join(one.cmdline()) for one in (own, *own.children(recursive=True)))

    def kill_part(self, module: str) -> None:
        """SIGKILL to the process below the drill that runs `module`."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        next(child for child in children if module in child.cmdline()).send_signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the drill itself."""
        self._process.send_signal(number)

    def ended(self) -> Drill:
        """Wait for the end."""
        code = self._process.wait(TIMEOUT_S)
        self._reader.join(5.0)
        if self._process.stdout is not None:
            self._process.stdout.close()
        folders = sorted(self._results.glob("*/*"))
        return Drill(code, "".join(self._lines), folders[0] if folders else self._results)


class Drills:
    """Runs every drill that a collected test asks for, as many at once as the pool has threads."""

    def __init__(
        self, directory: Path, recipes: Mapping[str, Callable[[Path], Drill]], pool: ThreadPoolExecutor
    ) -> None:
        self._directory, self._recipes, self._pool = directory, recipes, pool
        self._futures: dict[str, Future[Drill]] = {}

    def start(self, name: str) -> None:
        """Queue a drill."""
        if name not in self._futures:
            self._futures[name] = self._pool.submit(self._run, name)

    def get(self, name: str) -> Drill:
        """The drill, once it has ended."""
        self.start(name)
        return self._futures[name].result(TIMEOUT_S * 6)

    def _run(self, name: str) -> Drill:
        """Run a drill; once more if it says of itself that this machine was too busy for it to tell."""
        drill = self._recipes[name](_new(self._directory / name))
        return self._recipes[name](_new(self._directory / f"{name}-again")) if drill.hampered else drill


def _new(directory: Path) -> Path:
    directory.mkdir()
    return directory


def run(directory: Path, *arguments: str, program: list[str] | None = None) -> Running:
    """Start `alertdrill run` with results below `directory`."""
    results = directory / "results"
    return Running([*(program or ALERTDRILL), "run", *arguments, "--results", str(results)], results)


def scenario(directory: Path, phases: str, more: str = "") -> str:
    """Write a scenario on the fraud target; returns its path. `phases` is YAML, indented by two."""
    path = directory / "scenario.yaml"
    path.write_text(
        "version: 1\nname: control\nseed: 7\ntarget: {bundled: fraud}\nload: {rate: 100/s}\n"
        f"{more}\nphases:\n{phases}\n"
    )
    return str(path)


def rules(directory: Path, change: Callable[[str], str]) -> str:
    """Write a changed copy of the bundled rules; returns its path."""
    text = BUNDLED_RULES.read_text()
    changed = change(text)
    assert changed != text
    path = directory / "rules.yml"
    path.write_text(changed)
    return str(path)
