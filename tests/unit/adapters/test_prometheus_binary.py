from pathlib import Path

import pytest

from alertdrill.adapters.prometheus_binary import (
    PrometheusMissing,
    Unusable,
    find_prometheus,
    inspect,
    parse_version,
)


def fake(path: Path, version: str, program: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{program or path.name}, version {version} (branch: HEAD, revision: abc)'\n")
    path.chmod(0o755)
    return path


def pair(directory: Path, version: str) -> Path:
    fake(directory / "promtool", version)
    return fake(directory / "prometheus", version)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (
            "prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5+deb12u1)\n  build user: x",
            (2, 42, 0),
        ),
        ("prometheus, version 3.5.3 (branch: HEAD, revision: 123)", (3, 5, 3)),
        ("prometheus, version 3.0.0-rc.1 (branch: HEAD)", (3, 0, 0)),
        ("promtool, version 2.42.0 (branch: HEAD)", None),
        ("usage: prometheus", None),
        ("", None),
    ],
)
def test_versions_are_read_from_what_the_program_says(text, version):
    assert parse_version(text, "prometheus") == version


def test_the_environment_comes_before_path_and_path_before_the_cache(tmp_path):
    named, on_path, cache = pair(tmp_path / "a", "2.50.0"), pair(tmp_path / "b", "2.51.0"), tmp_path / "cache"
    pair(cache / "3.5.0", "3.5.0")
    path = {"PATH": str(on_path.parent)}
    first = find_prometheus({"ALERTDRILL_PROMETHEUS": str(named), **path}, cache).found
    second, third = find_prometheus(path, cache).found, find_prometheus({"PATH": "/nowhere"}, cache).found
    assert [f and (f.prometheus.source, f.prometheus.version_text) for f in (first, second, third)] == [
        ("environment", "2.50.0"),
        ("path", "2.51.0"),
        ("cache", "3.5.0"),
    ]
    assert first.promtool.path == named.with_name("promtool")


def test_promtool_may_be_elsewhere_on_path(tmp_path):
    named, tool = fake(tmp_path / "a/prometheus", "2.50.0"), fake(tmp_path / "b/promtool", "2.50.0")
    environ = {"ALERTDRILL_PROMETHEUS": str(named), "PATH": str(tool.parent)}
    assert find_prometheus(environ, tmp_path / "cache").found.promtool.path == tool


def test_what_the_user_named_is_not_replaced_by_another(tmp_path):
    cache = tmp_path / "cache"
    pair(cache / "3.5.0", "3.5.0")
    old = pair(tmp_path / "old", "2.41.9")
    broken = tmp_path / "broken"
    broken.write_text("not a program")
    alone = fake(tmp_path / "alone/prometheus", "2.50.0")
    for named, got in [
        (old, r"version 2\.41\.9; at least 2\.42"),
        (broken, "does not run here"),
        (tmp_path / "none", "no such file"),
        (tmp_path, "the directory"),
        (alone, "no promtool beside"),
    ]:
        with pytest.raises(PrometheusMissing, match=got) as error:
            find_prometheus({"ALERTDRILL_PROMETHEUS": str(named), "PATH": "/nowhere"}, cache)
        assert "fix: " in str(error.value)
        assert error.value.exit_code == 2


def test_an_old_prometheus_on_path_is_passed_over_with_its_reason(tmp_path):
    old, cache = pair(tmp_path / "old", "2.31.2"), tmp_path / "cache"
    pair(cache / "2.42.0", "2.42.0")
    search = find_prometheus({"PATH": str(old.parent)}, cache)
    assert search.found.prometheus.source == "cache"
    assert [(r.path, "2.31.2" in r.reason) for r in search.rejected] == [(old, True)]


def test_the_newest_of_the_cache_is_taken_and_unfinished_ones_are_not(tmp_path):
    for version in ("2.42.0", "2.53.3", "2.9.0"):
        pair(tmp_path / version, version)
    pair(tmp_path / ".partial-x", "3.5.0")
    assert find_prometheus({"PATH": "/nowhere"}, tmp_path).found.prometheus.version_text == "2.53.3"


def test_nothing_found_is_an_answer_too(tmp_path):
    assert find_prometheus({"PATH": "/nowhere"}, tmp_path / "none").found is None


def test_another_program_under_the_name_is_refused(tmp_path):
    with pytest.raises(Unusable, match="is not prometheus"):
        inspect(fake(tmp_path / "prometheus", "9.9.9", program="impostor"), "prometheus", "path")
