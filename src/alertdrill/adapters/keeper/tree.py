"""A command and every process that came of it: started, reaped, stopped, continued and ended together.

The process that uses this must be their subreaper, as whatever outlives its parent becomes its child.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.lifeline import LINUX
from alertdrill.process_tree import STOPPED, signal_all, states

AGAIN_S = 0.005
STOP_LIMIT_S = 2.0
KILL_LIMIT_S = 2.0


@dataclass(frozen=True)
class Effect:
    """What was seen of a signal to all processes.

    Attributes:
        pids: those that were seen stopped, or reaped.
        first_at: when the first of them was, seconds since the epoch; None if none was.
        why: what was left undone; empty: nothing.
    """

    pids: tuple[int, ...]
    first_at: float | None
    why: str = ""


class Tree:
    """The processes of one command.

    Attributes:
        exit_code: of the command itself; None while it runs, negative for a signal.
    """

    def __init__(self, argv: Sequence[str], folder: Path, log: Path, environ: Mapping[str, str]) -> None:
        self._argv, self._folder, self._log, self._environ = list(argv), folder, log, environ
        self._popen: subprocess.Popen[bytes] | None = None
        self.exit_code: int | None = None
        self._reaped: dict[int, float] = {}

    def start(self) -> None:
        """Run the command, its output added to the log.

        Raises:
            OSError: there is no such program or folder.
        """
        self.exit_code = None
        self._reaped.clear()
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                self._argv,
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A signal that it sends to its group is not for us; without subreapers the group is how it is ended.
                start_new_session=LINUX,
            )

    def reap(self) -> None:
        """Take note of every process that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._reaped[pid] = time.time()
            if self._popen is not None and pid == self._popen.pid:
                self.exit_code = self._popen.returncode = os.waitstatus_to_exitcode(status)

    def running(self) -> dict[int, str]:
        """State of every process that has not ended, by process id."""
        self.reap()
        found = states() if LINUX else {}
        if self._popen is not None and self.exit_code is None:
            found.setdefault(self._popen.pid, "S")
        return found

    def all_stopped(self) -> bool:
        """Whether processes are left, and all of them are stopped."""
        running = self.running()
        return bool(running) and STOPPED.issuperset(running.values())

    async def stop(self) -> Effect:
        """SIGSTOP, until all of them are seen stopped: one that was just starting another is asked again."""
        first_at, deadline = None, time.monotonic() + STOP_LIMIT_S
        while running := self.running():
            signal_all(signal.SIGSTOP)
            seen, now = states(), time.time()
            stopped = tuple(pid for pid, state in seen.items() if state in STOPPED)
            first_at = now if first_at is None and stopped else first_at
            if len(stopped) == len(seen) and seen.keys() == running.keys():
                return Effect(stopped, first_at)
            if time.monotonic() > deadline:
                left = ", ".join(f"{pid} ({state})" for pid, state in seen.items() if state not in STOPPED)
                return Effect(stopped, first_at, f"processes that did not stop within {STOP_LIMIT_S:g} s: {left}")
            await asyncio.sleep(AGAIN_S)
        return Effect((), None)

    def resume(self) -> None:
        """SIGCONT to all."""
        signal_all(signal.SIGCONT)

    async def kill(self) -> Effect:
        """SIGKILL, until all of them are reaped."""
        there, deadline = set(self.running()), time.monotonic() + KILL_LIMIT_S
        while running := self.running():
            there |= running.keys()
            self._signal(signal.SIGKILL)
            if time.monotonic() > deadline:
                gone, first_at = self._gone(there - running.keys())
                return Effect(gone, first_at, f"processes that SIGKILL did not end: {', '.join(map(str, running))}")
            await asyncio.sleep(AGAIN_S)
        return Effect(*self._gone(there))

    async def end(self, patience_s: float, look: Callable[[], None] = lambda: None) -> Effect:
        """SIGTERM to the command itself, which ends its own, and to what outlives it; then SIGKILL to what is left.

        Args:
            patience_s: how long SIGTERM has.
            look: called again and again meanwhile.
        """
        there, told_all = set(self.running()), False
        if self._popen is not None and self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._popen.pid, signal.SIGTERM)
            self.resume()  # one that is stopped takes no SIGTERM
        deadline = time.monotonic() + patience_s
        while (running := self.running()) and time.monotonic() < deadline:
            there |= running.keys()
            if self.exit_code is not None and not told_all:
                self._signal(signal.SIGTERM)
                told_all = True
            look()
            await asyncio.sleep(AGAIN_S)
        killed = await self.kill()
        return Effect(*self._gone(there | set(killed.pids)), killed.why)

    def _signal(self, number: signal.Signals) -> None:
        if LINUX:
            signal_all(number)
        elif self._popen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._popen.pid, number)

    def _gone(self, pids: set[int]) -> tuple[tuple[int, ...], float | None]:
        """Those of some processes that were reaped, and when the first was."""
        reaped = {pid: at for pid, at in self._reaped.items() if pid in pids}
        return tuple(sorted(reaped)), min(reaped.values(), default=None)
