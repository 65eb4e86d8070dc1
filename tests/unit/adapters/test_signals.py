"""What a signal does to the work that runs."""

import asyncio
import os
import signal

import pytest

from alertdrill.adapters import signals
from alertdrill.core.errors import Interrupted


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_a_signal_cancels_the_work_which_cleans_up(number: signal.Signals) -> None:
    if number is not signal.SIGINT:
        signal.signal(number, signal.SIG_DFL)  # nohup leaves SIGHUP ignored, and then it stays so
    cleaned = []

    async def work() -> None:
        try:
            send(number)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    with pytest.raises(Interrupted, match=r"^interrupted: every process has ended$"):
        signals.run_until_signalled(work())
    assert cleaned


def test_a_second_signal_does_not_disturb_the_clean_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            send(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            send(signal.SIGINT)
            for _ in range(10):
                await asyncio.sleep(0)
            cleaned.append(True)

    with pytest.raises(Interrupted):
        signals.run_until_signalled(work())
    assert cleaned


def test_a_cancellation_that_gets_lost_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "AGAIN_S", 0.01)

    async def work() -> None:
        send(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    with pytest.raises(Interrupted):
        signals.run_until_signalled(work())


def test_work_without_a_signal_gives_its_result() -> None:
    async def work() -> int:
        return 7

    assert signals.run_until_signalled(work()) == 7


def test_a_hangup_that_was_ignored_stays_ignored() -> None:
    async def work() -> int:
        send(signal.SIGHUP)
        await asyncio.sleep(0)
        return 7

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signals.run_until_signalled(work()) == 7
    finally:
        signal.signal(signal.SIGHUP, before)
