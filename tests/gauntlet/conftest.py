"""The long proofs: `make gauntlet SHARD=k/n` runs every n-th of them from the k-th on and writes docs/proofs/."""

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alertdrill import __version__

PROOFS = Path(__file__).parents[2] / "docs" / "proofs"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    k, n = (int(part) for part in os.environ.get("SHARD", "1/1").split("/"))
    items[:] = [item for position, item in enumerate(items) if position % n == k - 1]


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Writes what a proof measured to docs/proofs/<test>.json."""

    def write(figures: Any) -> None:
        environment = {
            "alertdrill": __version__,
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        PROOFS.mkdir(parents=True, exist_ok=True)
        document = {"figures": figures, "environment": environment}
        (PROOFS / f"{request.node.name}.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")

    return write
