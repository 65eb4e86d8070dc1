"""Every process that came of this one, whatever became of those between, to be signalled together. Standard library."""

import contextlib
import ctypes
import os
import signal
import time
from collections import defaultdict
from pathlib import Path

from alertdrill.lifeline import LINUX

PR_SET_CHILD_SUBREAPER = 36
SWEEP_S = 2.0  # what cannot be killed by then never can: a program that became another user's, a disk that hangs
AGAIN_S = 0.002
STOPPED = frozenset("Tt")
ENDED = frozenset("ZXx")


def adopt_orphans() -> None:
    """Have Linux make this process the parent of every descendant whose own parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep() -> None:
    """Kill every process that came of this one."""
    deadline = time.monotonic() + SWEEP_S
    while _has_children() and time.monotonic() < deadline:
        signal_all(signal.SIGKILL)
        time.sleep(AGAIN_S)


def signal_all(number: signal.Signals) -> None:
    """Send a signal to every process that came of this one."""
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def states() -> dict[int, str]:
    """What the processes that came of this one do, by the kernel's letter (`T`: stopped); ended ones are left out."""
    found = {}
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            found[pid] = _stat(pid)[0]
    return {pid: state for pid, state in found.items() if state not in ENDED}


def _stat(pid: int) -> list[str]:
    """State, parent and so on of a process: its line in /proc behind the name, which may hold anything."""
    stat = Path("/proc", str(pid), "stat").read_bytes()
    return stat[stat.rindex(b")") + 2 :].decode().split()


def _has_children() -> bool:
    """Whether some are left, those that have ended not counted."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def descendants(ancestor: int) -> list[int]:
    """Processes that came of one, as far as this system tells; itself not among them."""
    if not LINUX:
        return []
    children: dict[int, list[int]] = defaultdict(list)
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            children[int(_stat(int(name))[1])].append(int(name))
    found: list[int] = []
    todo = [ancestor]
    while todo:
        of_this = children[todo.pop()]
        found += of_this
        todo += of_this
    return found
