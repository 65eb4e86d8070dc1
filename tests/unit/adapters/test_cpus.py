import os
from pathlib import Path

import pytest

from alertdrill.adapters.cpus import usable_cpus


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("quota", "usable"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("350000 100000", 3),
        ("50000 100000", 1),
        ("9900000 100000", 8),
        ("", 8),
    ],
)
def test_a_container_has_no_more_cpus_than_it_is_granted(tmp_path: Path, eight: None, quota: str, usable: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    assert usable_cpus(file) == usable


def test_without_control_groups_those_count_that_it_may_run_on(tmp_path: Path, eight: None) -> None:
    assert usable_cpus(tmp_path / "none") == 8
