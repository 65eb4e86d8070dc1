from pathlib import Path

import pytest

from alertdrill.adapters.prometheus_binary import PrometheusMissing
from alertdrill.adapters.prometheus_major import prometheus_of_major


def program(path: Path, version: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name in ("prometheus", "promtool"):
        (path / name).write_text(f"#!/bin/sh\necho '{name}, version {version} (branch: HEAD)'\n")
        (path / name).chmod(0o755)
    return path / "prometheus"


def test_the_one_of_the_recording_s_major_version_is_taken_wherever_it_is(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin", "3.5.3")
    kept = program(tmp_path / "cache" / "2.42.0", "2.42.0")
    environ = {"PATH": str(tmp_path / "bin")}
    cache = tmp_path / "cache"
    assert prometheus_of_major("2.53.1", "r", environ, cache).prometheus.path == kept
    assert prometheus_of_major("3.0.0", "r", environ, cache).prometheus.path == on_path


def test_another_major_version_is_no_help_and_named(tmp_path: Path) -> None:
    program(tmp_path / "bin", "3.5.3")
    with pytest.raises(PrometheusMissing) as missing:
        prometheus_of_major("2.42.0+ds", "results/x", {"PATH": str(tmp_path / "bin")}, tmp_path / "cache")
    said = str(missing.value)
    assert "results/x" in said
    assert "only Prometheus 3.5.3" in said
    assert "a Prometheus 2.x, as the drill was recorded with 2.42.0+ds" in said
    assert "ALERTDRILL_PROMETHEUS" in said


def test_the_one_that_the_user_names_is_the_only_one_that_counts(tmp_path: Path) -> None:
    named = program(tmp_path / "named", "3.5.3")
    program(tmp_path / "cache" / "2.42.0", "2.42.0")
    environ = {"PATH": "/nowhere", "ALERTDRILL_PROMETHEUS": str(named)}
    with pytest.raises(PrometheusMissing, match=r"only Prometheus 3\.5\.3"):
        prometheus_of_major("2.42.0", "r", environ, tmp_path / "cache")
