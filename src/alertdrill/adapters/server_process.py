"""A server of the Prometheus family that runs for the length of a drill: own port, own data, gone without trace."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from alertdrill.adapters.prometheus_log import errors, listening_address
from alertdrill.adapters.scratch import Scratch
from alertdrill.core.errors import AlertdrillError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
WATCHDOG_TIMEOUT_S = 0.2 if sys.platform == "linux" else 2.0
POLL_S = 0.01
READY_TIMEOUT_S = 2.0
SHOWN_LOG_LINES = 20
LOG = "log.jsonl"


class ServerFailed(AlertdrillError):
    """A managed server did not start; nothing of it is left."""

    exit_code = 2


class ServerProcess:
    """A server that runs until `stop`.

    Attributes:
        name: what it is called in messages.
        url: where its HTTP interface answers, without a slash at the end.
        pid: of the process (on systems other than Linux, of the watchdog that runs it).
    """

    name = "server"
    failure: type[ServerFailed] = ServerFailed
    deaf = False
    """Whether SIGTERM does not reach it, so that only SIGKILL ends it."""

    def __init__(self, process: asyncio.subprocess.Process, scratch: Scratch) -> None:
        self.url = ""
        self.pid = process.pid
        self._process = process
        self._scratch = scratch
        self._last_log = ""

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None

    def log_tail(self, lines: int = SHOWN_LOG_LINES) -> str:
        """The last lines of its log, also after `stop`."""
        return "\n".join(self._log().splitlines()[-lines:])

    async def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it (SIGTERM, after `timeout_s` seconds SIGKILL) and remove its data; doing so again does nothing."""
        steps = [
            *([] if self.deaf else [(self._process.terminate, timeout_s)]),
            (self._close_pipe, WATCHDOG_TIMEOUT_S),
            (self._process.kill, None),
        ]
        try:
            for end, wait_s in steps:
                if self.alive():
                    with contextlib.suppress(ProcessLookupError):
                        end()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._process.wait(), wait_s)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Kill it and remove its data at once, without waiting for its end."""
        self._close_pipe()
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._last_log = self._log()
        self._scratch.remove()

    def listens_at(self, address: str) -> None:
        """Take note of the `host:port` at which it listens, once that is known."""
        self.url = f"http://{address}"

    def _close_pipe(self) -> None:
        """Where a watchdog runs it, this ends both; a watchdog that is killed cannot end its child."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _log(self) -> str:
        return _read(self._scratch.path / LOG) or self._last_log

    async def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for `/-/ready`: a server can listen before it has loaded its configuration.

        Raises:
            ServerFailed: it ended, or took longer; the message has what it logged.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self.alive():
                raise self.failure(self._story(f"ended with exit code {self._process.returncode}"))
            if not self.url and (address := listening_address(self._log())):
                self.listens_at(address)
            if self.url and await _ready(self.url):
                return
            await asyncio.sleep(POLL_S)
        raise self.failure(self._story(f"was not ready after {timeout_s:g} s"))

    def _story(self, what: str) -> str:
        said = "\n    ".join("\n".join(errors(self._log())).splitlines())
        return f"{self.name} {what} while it started\n    {said}\n  fix: mend what it names above, then run again"


async def spawn(
    command: Sequence[str], directory: Path, environ: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start a program that dies with us, its log in `directory`.

    Call it from the main thread: on Linux the process dies with the thread that started it.

    Args:
        command: the program and its arguments.
        directory: where its log goes.
        environ: its environment; by default ours.
    """
    with (directory / LOG).open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "alertdrill.lifeline", "--exec", *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environ,
            start_new_session=True,
        )


def _read(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


async def _ready(url: str) -> bool:
    """Whether a server of ours answers 200; a client for so little would take longer to import than to ask."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(b"GET /-/ready HTTP/1.0\r\nHost: " + host.encode() + b"\r\n\r\n")
                return (await reader.readline()).split(b" ")[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
