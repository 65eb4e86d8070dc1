"""Tests of `alertdrill worker` as far as it starts no process."""

import pytest

from alertdrill.cli.worker import join
from alertdrill.core.errors import BadInput


def test_a_worker_wants_host_and_port() -> None:
    with pytest.raises(BadInput, match="HOST:PORT\n  got '5557'"):
        join("5557", 1)
