"""Guards of a process that runs code of others: its whole tree ends with it, and it ends when that code stands still.

`python -m alertdrill.lifeline --guard …` forks before anything else happens: this process and, on Linux, one more stay
in front of the guarded one. The one next to it passes commands on and holds it to pipe and lease, which the guarded
process may be unable to do itself (a call into C can keep every thread of Python from running). Whenever one of the
three ends, by SIGKILL too, those that are left kill every process that came of the guarded one. On Linux the guards
adopt what outlives its parent (PR_SET_CHILD_SUBREAPER), so that neither a session of its own nor a double fork escapes.
Elsewhere there is one guard, and what it kills is the process group of the guarded process.

The guarded process says `turn` every so often. Once it does so no more for the time that it named, the guard looks
where its main thread is, tells the controller, and ends the tree. Time in which guard or guarded were stopped does not
count. Standard library only.
"""

import ast
import contextlib
import ctypes
import faulthandler
import json
import mmap
import os
import re
import select
import signal
import struct
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from alertdrill.lifeline import EXIT_LEASE_LOST, EXIT_ORPHANED, LINUX, Lease, die_with_parent, lease_of

PR_SET_CHILD_SUBREAPER = 36
TICK_S = 0.25
LATE_S = 0.5  # a tick that took longer was one of a guard that stood still itself
SWEEP_S = 2.0  # what cannot be killed by then never can: a program that became another user's, a disk that hangs
AGAIN_S = 0.002
LEASE_GRACE_S = 0.3  # the guarded process ends by itself if it can, and says why
STACK_S = 0.5
STACK_SIGNAL = getattr(signal, "SIGRTMAX", signal.SIGUSR2)  # one that no program uses
FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')


@dataclass(frozen=True)
class Said:
    """What a guarded process says of itself.

    Attributes:
        turned_at: `time.monotonic` of the last turn.
        limit_s: for how long there may be none; 0: for ever.
        ending: whether it is at its end anyway.
        text: the file with the code that may stand still; at the end, why the process fails, empty if it does not.
    """

    turned_at: float
    limit_s: float
    ending: bool
    text: str


class Board:
    """Where the guarded process says something to its guard: memory that both see."""

    _HEAD = struct.Struct("dd?")

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def read(self) -> Said:
        """What stands there."""
        text = self._memory[self._HEAD.size :].rstrip(b"\0").decode(errors="replace")
        turned_at, limit_s, ending = self._HEAD.unpack_from(self._memory)
        return Said(turned_at, limit_s, ending, text)

    def turn(self, limit_s: float, ending: bool = False) -> None:
        """The hub turned just now."""
        self._memory[: self._HEAD.size] = self._HEAD.pack(time.monotonic(), limit_s, ending)

    def write(self, text: str) -> None:
        """Put a text in the place of another."""
        room = len(self._memory) - self._HEAD.size
        self._memory[self._HEAD.size :] = text.encode()[:room].ljust(room, b"\0")


class _Line:
    """What connects a guarded process with its guard: the board, and the pipe that takes its stack."""

    board: Board | None = None
    stacks: int = -1
    pid: int = 0


def watched(file: Path) -> None:
    """From now on the guard looks for the main thread in this file, should `turn` not be called in time."""
    if _Line.board is not None:
        faulthandler.register(STACK_SIGNAL, file=_Line.stacks, all_threads=False, chain=False)
        _Line.board.write(str(file))


def turn(limit_s: float) -> None:
    """Say that this process is well; without another turn within `limit_s` seconds it fails."""
    forked = os.getpid() != _Line.pid  # off the guarded process: what turns there is another hub
    if _Line.board is not None and not forked and not _Line.board.read().ending:
        _Line.board.turn(limit_s)


def end_within(limit_s: float, why: str | None) -> None:
    """End this process by force if it has not ended by itself in time, as failed if there is a reason why."""
    if _Line.board is not None:
        _Line.board.turn(0.0, ending=True)
        _Line.board.write(why or "")
        _Line.board.turn(limit_s, ending=True)


def stand() -> None:
    """Put guards before this process: only the guarded one returns, with its commands on standard input as ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminated)
    die_with_parent(signal.SIGTERM)
    if LINUX:
        _adopt_orphans()
        inner = os.fork()
        if inner:
            _leave_with(inner)
        die_with_parent(signal.SIGTERM)
        _adopt_orphans()
    board, commands, stacks = Board(), os.pipe(), os.pipe()
    woken = _wake_on_children()
    guarded = os.fork()
    if guarded:
        os.close(commands[0])
        os.close(stacks[1])
        _Guard(guarded, commands[1], stacks[0], woken, board).stay()
    os.close(signal.set_wakeup_fd(-1))
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for fd in (commands[1], stacks[0], woken):
        os.close(fd)
    os.dup2(commands[0], 0)
    os.close(commands[0])
    os.setpgid(0, 0)  # a signal that its programs send to their group is not for us
    _Line.board, _Line.stacks, _Line.pid = board, stacks[1], os.getpid()


class _Guard:
    """Stays before the guarded process until one of the two must end."""

    def __init__(self, guarded: int, commands: int, stacks: int, woken: int, board: Board) -> None:
        """Nothing happens yet.

        Args:
            guarded: its process id.
            commands: where its commands go.
            stacks: where it says where it is.
            woken: is readable when a child has ended or was stopped.
            board: what it says of itself.
        """
        self._guarded, self._commands, self._stacks, self._woken, self._board = guarded, commands, stacks, woken, board
        os.set_blocking(commands, False)
        self._lease = Lease()
        self._line = b""
        self._unsent = b""
        self._stopped = False
        self._turned_at = 0.0
        self._silent_s = 0.0

    def stay(self) -> NoReturn:
        """Pass commands on, until all ends."""
        signal.signal(signal.SIGTERM, lambda *_: self._leave(128 + signal.SIGTERM))
        looked_at = time.monotonic()
        while True:
            ready = select.select([0, self._woken], [], [], TICK_S)[0]
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._see_children()
            if 0 in ready:
                chunk = os.read(0, 65536)
                if not chunk:
                    self._leave(EXIT_ORPHANED)
                self._take(chunk)
            self._send()
            if self._lease.left_s() == 0.0 and 0 not in ready:
                self._leave(EXIT_LEASE_LOST, {"event": "lease_lost"})
            now = time.monotonic()
            self._look(now - looked_at)
            looked_at = now

    def _take(self, chunk: bytes) -> None:
        self._unsent += chunk
        *lines, self._line = (self._line + chunk).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):  # the guarded process says what is wrong with it
                seconds = lease_of(json.loads(line))
                if seconds is not None:
                    self._lease.grant(seconds + LEASE_GRACE_S)

    def _send(self) -> None:
        """Pass on what fits: nothing may hold up the guard."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            while self._unsent:
                self._unsent = self._unsent[os.write(self._commands, self._unsent) :]

    def _see_children(self) -> None:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            if not pid:
                return
            if pid != self._guarded:
                continue
            if not os.WIFEXITED(status) and not os.WIFSIGNALED(status):
                self._stopped = os.WIFSTOPPED(status)
                continue
            self._leave(_code(status))

    def _look(self, since_s: float) -> None:
        """Count the time without a turn, and end what had none for too long."""
        said = self._board.read()
        if said.turned_at != self._turned_at:
            self._turned_at, self._silent_s = said.turned_at, 0.0
        elif not self._stopped and since_s < LATE_S:
            self._silent_s += since_s
        if said.limit_s and self._silent_s > said.limit_s:
            self._give_up(said)

    def _give_up(self, said: Said) -> NoReturn:
        why = said.text if said.ending else stood_still(self._stack(), Path(said.text), self._silent_s)
        if not why:
            self._leave(0)
        self._leave(1, {"event": "failed", "why": why}, why)

    def _stack(self) -> str:
        """Where the main thread of the guarded process is, as faulthandler says it; empty if it does not."""
        os.kill(self._guarded, STACK_SIGNAL)
        said = b""
        while select.select([self._stacks], [], [], STACK_S)[0]:
            chunk = os.read(self._stacks, 65536)
            if not chunk:
                break
            said += chunk
        return said.decode(errors="replace")

    def _leave(self, code: int, event: dict[str, str] | None = None, said: str = "") -> NoReturn:
        """End the tree, then tell what there is to tell, then end."""
        if not LINUX:
            with contextlib.suppress(OSError):
                os.killpg(self._guarded, signal.SIGKILL)
        _sweep()
        with contextlib.suppress(OSError):
            if event is not None:
                os.write(1, json.dumps(event, separators=(",", ":")).encode() + b"\n")
            if said:
                os.write(2, said.encode() + b"\n")
        os._exit(code)


def stood_still(stack: str, file: Path, for_s: float) -> str:
    """What to say of a process whose hub has not turned, in one line.

    Args:
        stack: of its main thread, as faulthandler writes it, innermost call first.
        file: whose code is suspected.
        for_s: how long it has not turned.
    """
    frames = [found.groupdict() for line in stack.splitlines() if (found := FRAME.fullmatch(line))]
    written = str(file).encode("ascii", "backslashreplace").decode()  # as faulthandler does
    own = [one for one in frames if one["file"] == written and one["name"] != "<module>"]
    where = _place(own[0]) + f": {_named(file, own[0])}" if own else file.name
    caller = f", called by {_named(file, own[-1])}," if len(own) > 1 else ""
    inside = f" (now in {frames[0]['name']}, {_place(frames[0])})" if frames and frames[0] not in own[:1] else ""
    return (
        f"{where}{caller} has kept all users from running for {for_s:.0f} s{inside}, expected code that waits with "
        "gevent; let it sleep or do its input and output the way gevent patches, and give long work to "
        "gevent.get_hub().threadpool"
    )


def _place(frame: dict[str, str]) -> str:
    return f"{Path(frame['file']).name}:{frame['line']}"


def _named(file: Path, frame: dict[str, str]) -> str:
    """A function with the classes around it, as far as its file can be read."""
    line, name = int(frame["line"]), frame["name"]
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return name
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    around = [node for node in classes if node.lineno <= line <= (node.end_lineno or 0)]
    return ".".join([*(node.name for node in sorted(around, key=lambda node: node.lineno)), name])


def _adopt_orphans() -> None:
    """Have Linux make this process the parent of every descendant whose own parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wake_on_children() -> int:
    """A descriptor that is readable whenever a child has ended or was stopped."""
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return woken


def _leave_with(inner: int) -> NoReturn:
    """Wait for the guard behind this one, and see to what it left."""
    while True:
        pid, status = os.wait()
        if pid == inner:
            _sweep()
            os._exit(_code(status))


def _terminated(*_: object) -> None:
    _sweep()
    os._exit(128 + signal.SIGTERM)


def _code(status: int) -> int:
    """An exit code, that of a shell for a process that a signal ended."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _sweep() -> None:
    """Kill every process that came of this one."""
    deadline = time.monotonic() + SWEEP_S
    while _has_children() and time.monotonic() < deadline:
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(AGAIN_S)


def _has_children() -> bool:
    """Whether some are left, those that have ended not counted."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _descendants(ancestor: int) -> list[int]:
    """Processes that came of one, as far as this system tells; itself not among them."""
    if not LINUX:
        return []
    children: dict[int, list[int]] = defaultdict(list)
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            stat = Path("/proc", name, "stat").read_bytes()
            children[int(stat[stat.rindex(b")") + 2 :].split()[1])].append(int(name))
    found: list[int] = []
    todo = [ancestor]
    while todo:
        of_this = children[todo.pop()]
        found += of_this
        todo += of_this
    return found
