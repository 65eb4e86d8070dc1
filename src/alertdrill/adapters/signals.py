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
AGAIN_S = 1.0
OF_A_DRILL = "load and faults are off, every process has ended"


def run_until_signalled(work: Coroutine[Any, Any, T], ended: str = "every process has ended") -> T:
    """Run a coroutine in the main thread.

    Args:
        work: the coroutine.
        ended: what is true once it has cleaned up.

    Raises:
        Interrupted: a signal came; the coroutine was cancelled and has cleaned up.
    """
    try:
        return asyncio.run(_watched(work))
    except asyncio.CancelledError:
        raise Interrupted(f"interrupted: {ended}") from None


async def _watched(work: Coroutine[Any, Any, T]) -> T:
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()
    for number in SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, signalled.set)
    task = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(signalled.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    while not task.done():
        # Again and again: a cancellation can get lost (asyncio.wait_for of Python 3.11 drops one that arrives together
        # with what it waits for), and a clean-up that hangs must not hold the user up. Children die with us anyway.
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_S)
    return task.result()
