"""The command line: thin, and quick to start because every command imports what it needs itself."""

import atexit
import gc
import os
import signal
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
GRACE_S = 0.5
ALLOCATIONS = 50_000
"""Between collections of garbage; the usual 700 would look at what is imported, which stays, hundreds of times."""

__all__ = ["main"]


def main() -> None:
    """Run the command line; from its first import on, a signal ends it with exit code 130 and without a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    gc.set_threshold(ALLOCATIONS)
    atexit.register(gc.freeze)  # the interpreter would look at every object once more at the end, for half a second
    from alertdrill.cli.app import main as run

    run()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGALRM, _leave_at_once)
    signal.setitimer(signal.ITIMER_REAL, GRACE_S)  # a library that is being imported may swallow what is raised here
    raise SystemExit(INTERRUPTED)


def _leave_at_once(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)
