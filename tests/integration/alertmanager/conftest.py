import asyncio
import time
from collections.abc import Callable

import pytest

from alertdrill.adapters.alertmanager_binary import Alertmanager
from alertdrill.adapters.alertmanager_install import ensure_alertmanager

POLL_S = 0.01


@pytest.fixture(scope="session")
def alertmanager() -> Alertmanager:
    """The Alertmanager of this machine; obtained at the first test that needs one."""
    return ensure_alertmanager()


@pytest.fixture
def until() -> Callable[..., object]:
    """Polls a condition until it holds; fails after `timeout_s` seconds."""

    async def wait(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "the condition never held"
            await asyncio.sleep(POLL_S)

    return wait
