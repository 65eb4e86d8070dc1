"""The command line: thin, and quick to start because every command imports what it needs itself."""

import signal
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130

__all__ = ["main"]


def main() -> None:
    """Run the command line; from its first import on, a signal ends it with exit code 130 and without a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    from alertdrill.cli.app import main as run

    run()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(INTERRUPTED)
