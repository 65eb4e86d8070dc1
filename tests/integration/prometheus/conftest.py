import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.adapters.prometheus_install import ensure_prometheus

POLL_S = 0.005


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The Prometheus of this machine; obtained at the first test that needs one."""
    return ensure_prometheus()


@pytest.fixture
def rules(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a rule file with one group of the given rules."""

    def write(text: str, name: str = "rules.yml") -> Path:
        file = tmp_path / name
        file.write_text("groups:\n  - name: g\n    rules:\n" + text)
        return file

    return write


@pytest.fixture
def until() -> Callable[..., object]:
    """Polls a condition until it holds; fails after `timeout_s` seconds."""

    async def wait(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "the condition never held"
            await asyncio.sleep(POLL_S)

    return wait
