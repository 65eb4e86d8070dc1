"""Child processes on a lifeline: commands in, events out, gone when we are gone."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alertdrill.core.errors import AlertdrillError, printable
from alertdrill.core.inside_protocol import TOKEN_VARIABLE
from alertdrill.lifeline import EXIT_LEASE_LOST

LINE_LIMIT = 64 * 1024 * 1024
SHOWN_LOG_LINES = 12

Event = Mapping[str, Any]


class ProcessFailed(AlertdrillError):
    """A process of ours did not start or ended when it should not have."""

    exit_code = 3


class Child:
    """One process that was started through `alertdrill.lifeline`.

    Attributes:
        name: what it is, for messages.
        expected_to_end: whether its end, with exit code 0, is part of the plan.
    """

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, log: Path, on_event: Callable[[Event], None]
    ) -> None:
        self.name = name
        self.expected_to_end = False
        self._stopped = False
        self._process = process
        self._log = log
        self._on_event = on_event
        self._seen: dict[str, asyncio.Future[Event]] = {}
        self._reader = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code; None while it runs, negative for a signal."""
        return self._process.returncode

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None

    def dead(self) -> str | None:
        """What to say of a process that ended although it should not have; None if all is well."""
        if self.alive() or self._stopped or (self.expected_to_end and self._process.returncode == 0):
            return None
        if self._process.returncode == EXIT_LEASE_LOST:
            return f"{self.name} let go because its lease ran out: alertdrill itself stood still for too long"
        code = self._process.returncode or 0
        if -code in set(signal.Signals):
            return f"{self.name} was ended by a signal, {signal.Signals(-code).name}"
        tail = self.log_tail().splitlines()
        return f"{self.name} ended with exit code {self._process.returncode}" + (f": {tail[-1]}" if tail else "")

    def log_tail(self) -> str:
        """The last lines that it wrote to standard error."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "\n".join(map(printable, text.splitlines()[-SHOWN_LOG_LINES:]))

    def send(self, command: Mapping[str, Any]) -> None:
        """Send one command; a process that is gone takes none."""
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def event(self, name: str, timeout_s: float) -> Event:
        """The first event of a name since the last call for it.

        Raises:
            ProcessFailed: the process ended, or the event did not come in time.
        """
        future = self._seen.setdefault(name, asyncio.get_running_loop().create_future())
        ended = asyncio.ensure_future(self._process.wait())
        either: set[asyncio.Future[Any]] = {future, ended}
        done, _ = await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if future not in done and ended in done:
            await asyncio.wait({self._reader}, timeout=1.0)
        if future.done():
            del self._seen[name]
            return future.result()
        what = (
            f"ended with exit code {self._process.returncode}"
            if not self.alive()
            else f"said no {name} within {timeout_s:g} s"
        )
        said = "".join(f"\n    {line}" for line in self.log_tail().splitlines())
        raise ProcessFailed(f"{self.name} {what}{said}")

    async def ended(self, timeout_s: float | None) -> bool:
        """Wait for the end of the process and of its events, as long as it takes if None; False if that took longer."""
        done, _ = await asyncio.wait({self._reader}, timeout=timeout_s)
        if not done:
            return False
        await self._process.wait()
        return True

    async def stop(self, timeout_s: float = 1.0) -> None:
        """End it: SIGTERM, after `timeout_s` seconds SIGKILL."""
        self._stopped = True
        for end, wait_s in ((self._process.terminate, timeout_s), (self._process.kill, None)):
            if self.alive():
                with contextlib.suppress(ProcessLookupError):
                    end()
                await asyncio.wait({asyncio.ensure_future(self._process.wait())}, timeout=wait_s)
        await asyncio.wait({self._reader}, timeout=timeout_s)
        self._reader.cancel()
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _read(self) -> None:
        stream = self._process.stdout
        while stream is not None and (line := await stream.readline()):
            event = json.loads(line)
            waiting = self._seen.get(event["event"])
            if waiting is None:
                self._seen[event["event"]] = waiting = asyncio.get_running_loop().create_future()
            if not waiting.done():
                waiting.set_result(event)
            self._on_event(event)


def _ignore(_: Event) -> None:
    return None


def _without_token(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name != TOKEN_VARIABLE}


async def start(
    name: str,
    argv: Sequence[str],
    log: Path,
    *,
    on_event: Callable[[Event], None] = _ignore,
    environ: Mapping[str, str] | None = None,
) -> Child:
    """Start `python -m alertdrill.lifeline ARGV`, standard error to `log`.

    Call it from the main thread: on Linux the process dies with the thread that started it.
    """
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "alertdrill.lifeline", *argv),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env={**_without_token(os.environ), "PYTHONUNBUFFERED": "1", **(environ or {})},
            start_new_session=True,
            limit=LINE_LIMIT,
        )
    return Child(name, process, log, on_event)


async def stop_all(children: Sequence[Child], timeout_s: float = 1.0) -> None:
    """End all of them at the same time."""
    await asyncio.gather(*(child.stop(timeout_s) for child in children))
