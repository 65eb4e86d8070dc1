"""Ctrl-C, SIGTERM and SIGHUP: the first cancels what runs, so that it cleans up; more of them change nothing.

A SIGHUP that whoever started us had ignored (nohup) stays ignored.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from alertdrill.core.errors import Interrupted

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_signalled(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the main thread.

    Raises:
        Interrupted: a signal came; the coroutine was cancelled and has cleaned up.
    """

    async def watched() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()

        heeded = [number for number in SIGNALS if number is not signal.SIGHUP or _heeds_hangups()]

        def cancel_once() -> None:
            for number in heeded:
                loop.add_signal_handler(number, _ignore)
            task.cancel()

        for number in heeded:
            loop.add_signal_handler(number, cancel_once)
        await asyncio.wait({task})
        return task.result()

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        raise Interrupted("interrupted: load and faults are off, every process has ended") from None


def _heeds_hangups() -> bool:
    return signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN


def _ignore() -> None:
    return None
