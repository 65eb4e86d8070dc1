import io
from pathlib import Path

import pytest
from rich.console import Console

from alertdrill.adapters import alertmanager_binary, prometheus_binary
from alertdrill.cli import doctor as module
from alertdrill.cli.doctor import doctor


def fake(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{path.name}, version {version} (x)'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with an empty PATH and an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prometheus_binary, "cache_directory", lambda: tmp_path / "cache")
    monkeypatch.setattr(alertmanager_binary, "alertmanager_cache", lambda: tmp_path / "cache")
    monkeypatch.delenv("ALERTDRILL_PROMETHEUS", raising=False)
    return tmp_path


def examined() -> tuple[int, str]:
    out = io.StringIO()
    code = doctor(Console(file=out, width=80))
    return code, out.getvalue()


def test_without_a_prometheus_no_drill_can_run_and_the_command_is_there(bare):
    code, text = examined()
    assert code == 2
    assert "missing  Prometheus" in text
    assert "mend: alertdrill doctor --install" in text
    assert "no drill can run yet" in text


def test_with_both_programs_a_drill_can_run(bare):
    fake(bare / "prometheus", "2.42.0")
    fake(bare / "promtool", "2.42.0")
    code, text = examined()
    assert code == 0
    assert "2.42.0, on PATH" in text
    assert str(bare / "promtool") in text


def test_without_an_alertmanager_drills_run_all_the_same_and_the_command_is_there(bare):
    fake(bare / "prometheus", "2.42.0")
    fake(bare / "promtool", "2.42.0")
    code, text = examined()
    assert code == 0
    assert "optional Alertmanager" in text
    assert "needed for a managed Alertmanager only" in text


def test_an_alertmanager_is_shown_with_the_way_that_it_is_run(bare):
    fake(bare / "alertmanager", "0.25.0")
    fake(bare / "amtool", "0.25.0")
    _, text = examined()
    assert "0.25.0, on PATH, run as it is" in text


def test_an_alertmanager_without_amtool_is_passed_over(bare):
    fake(bare / "alertmanager", "0.25.0")
    _, text = examined()
    assert "has no amtool beside it" in text


def test_a_program_that_was_passed_over_is_shown_with_the_reason(bare):
    fake(bare / "prometheus", "2.31.0")
    code, text = examined()
    assert code == 2
    assert "is version 2.31.0; at least 2.42 is needed" in text


def test_what_the_user_named_and_cannot_be_used_is_shown(bare, monkeypatch):
    monkeypatch.setenv("ALERTDRILL_PROMETHEUS", str(bare / "none"))
    code, text = examined()
    assert code == 2
    assert f"{bare / 'none'}: no such file" in text


def test_missing_packages_of_targets_do_not_stop_a_drill(bare, monkeypatch):
    fake(bare / "prometheus", "2.42.0")
    fake(bare / "promtool", "2.42.0")
    monkeypatch.setattr(module, "lacking", lambda extra: ("faker>=37",) if extra == "targets" else ())
    code, text = examined()
    assert code == 0
    assert "optional targets" in text
    assert "-m pip install 'faker>=37'" in text


def test_nothing_but_paths_and_commands_passes_80_columns(bare):
    _, text = examined()
    assert [line for line in text.splitlines() if len(line) > 80 and "/" not in line] == []
