"""Every process that came of this one, whatever became of those between, to be killed together. Standard library."""

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


def adopt_orphans() -> None:
    """Have Linux make this process the parent of every descendant whose own parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep() -> None:
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
