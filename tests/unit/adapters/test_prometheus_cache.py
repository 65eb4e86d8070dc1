from pathlib import Path

import pytest

from alertdrill.adapters.prometheus_binary import Unusable
from alertdrill.adapters.prometheus_cache import keep, workspace


def programs(directory: Path, version: str, mark: str = "") -> Path:
    directory.mkdir(parents=True)
    for name in ("prometheus", "promtool"):
        (directory / name).write_text(f"#!/bin/sh\n# {mark}\necho '{name}, version {version} (x)'\n")
        (directory / name).chmod(0o755)
    return directory


def test_programs_move_into_the_cache_under_their_version(tmp_path):
    with workspace(tmp_path) as work:
        kept = keep(programs(work.path / "programs", "2.53.3"), tmp_path)
    assert kept.prometheus.path == tmp_path / "2.53.3/prometheus"
    assert [entry.name for entry in tmp_path.iterdir()] == ["2.53.3"]


def test_of_two_at_once_the_first_stays(tmp_path):
    programs(tmp_path / "2.53.3", "2.53.3", mark="first")
    kept = keep(programs(tmp_path / ".partial-b", "2.53.3", mark="second"), tmp_path)
    assert "first" in kept.prometheus.path.read_text()


def test_a_kept_copy_that_does_not_run_is_replaced(tmp_path):
    broken = programs(tmp_path / "2.53.3", "2.53.3")
    (broken / "promtool").write_text("")
    kept = keep(programs(tmp_path / ".partial-b", "2.53.3", mark="second"), tmp_path)
    assert "second" in kept.promtool.path.read_text()


def test_a_version_that_is_too_old_is_not_kept(tmp_path):
    with pytest.raises(Unusable, match=r"2\.31\.0"):
        keep(programs(tmp_path / ".partial-a", "2.31.0"), tmp_path)
    assert not (tmp_path / "2.31.0").exists()
