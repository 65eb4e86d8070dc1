"""What every process that alertdrill starts runs first: a pipe to its controller, a lease, and death with its parent.

`python -m alertdrill.lifeline [-m MODULE | SCRIPT] ARG…` watches standard input *before* anything heavy is imported,
then runs the module or script as `__main__`. When the pipe closes (the controller ended, by SIGKILL too) the process
exits at once. `--exec PROGRAM ARG…` is for foreign binaries, which cannot watch a pipe: on Linux the kernel is asked
to kill them with their parent (PR_SET_PDEATHSIG); elsewhere this process stays as their watchdog. `--guard` before all
that is for a process that runs code of others: see `alertdrill.guard`.

Commands come in as one JSON object a line on standard input; events go out the same way on standard output. Anything
that a library prints is moved to standard error, and whoever reads standard input finds nothing there.
`{"do": "lease", "s": 5.0}` grants the process that many seconds from now; a process that was granted a lease and sees
no renewal in time exits (a frozen controller must not leave load or faults running). A process whose leave to run comes
on another way, as that of a worker of the load does, calls `grant` itself. Everything here is standard library and uses
real threads, so that it works under gevent.
"""

import atexit
import contextlib
import ctypes
import gc
import json
import os
import queue
import resource
import runpy
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

MOST_FILES = 20_000
EXIT_ORPHANED = 69
EXIT_LEASE_LOST = 75
PR_SET_PDEATHSIG = 1
LINUX = os.uname().sysname == "Linux"

Command = Mapping[str, Any]

_outgoing: queue.SimpleQueue[bytes] = queue.SimpleQueue()
_write = os.write
_read = os.read
_select = select.select
_monotonic = time.monotonic
_exit = os._exit


class _Inbox:
    """Commands that arrived, and the callback that takes them; commands wait until there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Command] = []
        self._callback: Callable[[Command], None] | None = None

    def put(self, command: Command) -> None:
        with self._lock:
            if self._callback is None:
                self._waiting.append(command)
            else:
                self._callback(command)

    def subscribe(self, callback: Callable[[Command], None]) -> None:
        with self._lock:
            self._callback = callback
            for command in self._waiting:
                callback(command)
            self._waiting.clear()


class Lease:
    """Until when a process may run; for ever if it was granted none.

    Attributes:
        deadline: when it ends, as `time.monotonic`.
        wakes: a descriptor; a byte written there has the watch look at the deadline again.
    """

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.wakes: int | None = None

    def grant(self, seconds: float) -> None:
        """Let it run for that many seconds from now."""
        self.deadline = _monotonic() + seconds
        if self.wakes is not None:
            _write(self.wakes, b"x")

    def left_s(self) -> float | None:
        """Seconds that are left; None if it was granted none."""
        return None if self.deadline is None else max(0.0, self.deadline - _monotonic())


def lease_of(command: Command) -> float | None:
    """For how many seconds a command lets a process run; None if it is no lease."""
    return float(command["s"]) if command.get("do") == "lease" else None


_inbox = _Inbox()
_lease = Lease()


def grant(seconds: float) -> None:
    """Let this process run for that many seconds from now and no longer; the last lease granted counts."""
    _lease.grant(seconds)


def lease_left_s() -> float | None:
    """Seconds until this process ends unless it is granted another lease; None if it was never granted one."""
    return _lease.left_s()


def on_command(callback: Callable[[Command], None]) -> None:
    """Hand every command (past and future, leases excepted) to `callback`, which runs in the lifeline's own thread.

    Hop to your event loop inside it: `loop.call_soon_threadsafe(...)` for asyncio, an async watcher for gevent.
    """
    _inbox.subscribe(callback)


def emit(event: Mapping[str, Any]) -> None:
    """Send one event to the controller. Never blocks, even when nobody reads: a thread of its own writes the pipe."""
    emit_json(json.dumps(event, separators=(",", ":")).encode())


def emit_json(event: bytes) -> None:
    """Send one event that is a line of JSON already."""
    _outgoing.put(event + b"\n")


def flush(timeout_s: float = 1.0) -> None:
    """Wait until what was emitted so far is written, for at most `timeout_s` seconds. Call it right before exiting."""
    written = threading.Event()
    _outgoing.put(_Marker(written))
    written.wait(timeout_s)


class _Marker(bytes):
    """An empty write that tells when everything before it has been written."""

    written: threading.Event

    def __new__(cls, written: threading.Event) -> "_Marker":
        marker = super().__new__(cls)
        marker.written = written
        return marker


def _write_events(fd: int) -> None:
    while True:
        line = _outgoing.get()
        if isinstance(line, _Marker):
            line.written.set()
            continue
        view = memoryview(line)
        try:
            while view:
                view = view[_write(fd, view) :]
        except OSError:
            _exit(EXIT_ORPHANED)


def _watch(fd: int, wakened: int) -> None:
    try:
        _listen(fd, wakened)
    finally:  # whatever ended the watch: a process that nobody watches must not go on
        _exit(EXIT_ORPHANED)


def _listen(fd: int, wakened: int) -> None:
    buffer = b""
    while True:
        ready = _select([fd, wakened], [], [], _lease.left_s())[0]
        if not ready and _lease.left_s() == 0.0:
            _outgoing.put(b'{"event":"lease_lost"}\n')
            flush(0.2)
            _exit(EXIT_LEASE_LOST)
        if wakened in ready:
            _read(wakened, 65536)
        if fd not in ready:
            continue
        chunk = _read(fd, 65536)
        if not chunk:
            return
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            command = json.loads(line)
            seconds = lease_of(command)
            if seconds is not None:
                _lease.grant(seconds)
            else:
                _inbox.put(command)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask Linux to send this process a signal when the thread that forked it ends; elsewhere do nothing."""
    if LINUX:
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            _exit(EXIT_ORPHANED)


def allow_many_files() -> None:
    """Raise the soft limit of open files: where nothing answers, each waiting request keeps one or two open.

    The usual limit of 1,024 would have a proxy fail by itself, and look like the target.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _pipe_is_closed(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, 0)  # a closed far end is reported whatever is asked for
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def _read_nothing() -> None:
    """Put nothing in the place of standard input: what else runs here, or is started by it, takes no commands away."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def _exec(argv: list[str]) -> NoReturn:
    """Become a foreign binary (Linux), or stay as its watchdog and end it when the pipe closes."""
    if LINUX:
        if _pipe_is_closed(0):  # the parent ended before the kernel was asked to take this process along
            _exit(EXIT_ORPHANED)
        _read_nothing()
        os.execvp(argv[0], argv)
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())

    def watch() -> None:
        while _read(0, 65536):
            pass
        child.kill()

    threading.Thread(target=watch, daemon=True).start()
    sys.exit(child.wait())


def main() -> None:
    """Start the lifeline, then run what the command line names."""
    argv = sys.argv[1:]
    if argv[0] == "--guard":
        from alertdrill import guard  # the others need not read it

        guard.stand()
        argv = argv[1:]
    die_with_parent()
    if argv[0] == "--exec":
        _exec(argv[1:])
    atexit.register(gc.freeze)  # the interpreter would look at every object once more at the end, for half a second
    allow_many_files()
    commands, events = os.dup(0), os.dup(1)
    _read_nothing()
    os.dup2(2, 1)
    wakened, _lease.wakes = os.pipe()
    threading.Thread(target=_watch, args=(commands, wakened), name="lifeline", daemon=True).start()
    threading.Thread(target=_write_events, args=(events,), name="lifeline-events", daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the controller decides
    if argv[0] == "-m":
        sys.argv = argv[1:]
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = argv
        sys.path.insert(0, os.path.dirname(os.path.abspath(argv[0])))
        runpy.run_path(argv[0], run_name="__main__")


if __name__ == "__main__":
    # Run as alertdrill.lifeline, not as __main__: children import that name and must find the same inbox.
    from alertdrill import lifeline

    lifeline.main()
