"""A real drill as a subprocess whose processes all carry a mark, so that whatever it leaves behind is found."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

VARIABLE = "ALERTDRILL_TEST_MARK"
START_TIMEOUT_S = 90.0
POLL_S = 0.02
COMMAND = (sys.executable, "-m", "alertdrill")
ROLES = {
    "job": "alertdrill.cli.job",
    "load": "alertdrill.adapters.load",
    "worker": "alertdrill.adapters.load worker",
    "proxy": "alertdrill.adapters.fault_proxy",
    "monitor": "alertdrill.monitor",
    "model": "fraud/server.py",
    "prometheus": "--config.file=",
}
RULES = """
groups:
  - name: slow
    rules:
      - alert: SlowAnswers
        expr: histogram_quantile(0.95, sum by (le) (rate(model_request_duration_seconds_bucket[3s]))) > 0.3
        for: 1s
"""
SCENARIO = """
version: 1
name: left-behind
target: {bundled: fraud}
monitoring: {rules: [rules.yml]}
load: {rate: 40/s}
steady_state:
  - {alerts: inactive, for: 1s}
phases:
  - {name: baseline, duration: 4s}
  - name: slow
    duration: 40s
    faults:
      - {kind: latency, delay: 400ms, share: 30%, place: model}
    expect:
      - {alert: SlowAnswers, within: 15s}
settle: {timeout: 20s}
limits: {lease: 3s}
"""


def eventually(holds: Callable[[], bool], timeout_s: float) -> bool:
    """Whether it came to hold within the time."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


class MarkedDrill:
    """One drill; used as a context manager it leaves nothing behind, whatever the test found."""

    def __init__(self, folder: Path, *more: str, copies: Sequence[str] = ()) -> None:
        """Start it.

        Args:
            folder: a new one, for all of it.
            more: further arguments.
            copies: further files to write the scenario to.
        """
        folder.mkdir()
        (folder / "rules.yml").write_text(RULES)
        for file in (folder / "scenario.yaml", *copies):
            Path(file).write_text(SCENARIO)
        self._folder = folder
        self._mark = uuid.uuid4().hex
        self._output = folder / "output.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(*COMMAND, "run", str(folder / "scenario.yaml"), "--results", str(folder / "results")),
                    *("--no-color", *more),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, VARIABLE: self._mark},
                start_new_session=True,
            )

    def __enter__(self) -> "MarkedDrill":
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.running():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text(errors="replace")

    def running(self) -> dict[int, str]:
        """Process id and command line of everything that carries the mark; processes that ended do not."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if f"{VARIABLE}={self._mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
        return found

    def pids(self, role: str) -> list[int]:
        """Processes that play a role."""
        return [pid for pid, line in self.running().items() if ROLES[role] in line]

    def nothing_runs(self, timeout_s: float) -> bool:
        """Whether everything with the mark is gone within the time."""
        return eventually(lambda: not self.running(), timeout_s)

    def wait_for_output(self, text: str) -> None:
        """Wait until it has printed a text."""
        self.wait_for(lambda: text in self.output, f"it did not print {text!r}")

    def wait_for_fault(self) -> None:
        """Wait until the first effect of the fault is in the journal."""
        self.wait_for(lambda: any(one["record"] == "touched" for one in self.journal()), "no fault touched anything")

    def wait_for(self, holds: Callable[[], bool], complaint: str) -> None:
        """Wait until something holds."""
        ready = eventually(lambda: holds() or self.process.poll() is not None, START_TIMEOUT_S)
        if not ready or not holds():
            raise AssertionError(f"{complaint} (exit code {self.process.poll()}):\n{self.output}")

    def results(self) -> list[Path]:
        """Its results folders."""
        return list((self._folder / "results").glob("left-behind/*"))

    def journal(self) -> list[dict[str, Any]]:
        """The records of the journal so far; a line that is being written is left out."""
        lines = [line for folder in self.results() for line in _lines(folder / "journal.jsonl")]
        return [json.loads(line) for line in lines]

    def ended(self, timeout_s: float) -> int | None:
        """Exit code of the controller; None if it still runs after the time."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def check(self) -> subprocess.CompletedProcess[str]:
        """Judge what it left with `alertdrill check`."""
        (folder,) = self.results()
        return subprocess.run([*COMMAND, "check", str(folder)], capture_output=True, text=True, timeout=60)


def _lines(journal: Path) -> list[bytes]:
    if not journal.exists():
        return []
    return [line for line in journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
