import hashlib
import http.server
import io
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertdrill.adapters import prometheus_debian, prometheus_install
from alertdrill.adapters.prometheus_binary import PrometheusMissing, Unusable, find_prometheus
from alertdrill.adapters.prometheus_debian import obtain_from_debian
from alertdrill.adapters.prometheus_install import obtain_prometheus
from alertdrill.adapters.prometheus_release import PINNED_VERSION, archive_name, obtain_from_release

FOLDER = f"v{PINNED_VERSION}"

OBTAIN = """
import pathlib, sys
from alertdrill.adapters.prometheus_release import obtain_from_release
print(obtain_from_release(pathlib.Path(sys.argv[1]), lambda line: None, sys.argv[2]).prometheus.path)
"""


def release(version: str = PINNED_VERSION, extra: str | None = None) -> bytes:
    """An archive as the project releases it, with scripts for programs."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        top = archive_name().removesuffix(".tar.gz")
        members = {f"{top}/{p}": f"#!/bin/sh\necho '{p}, version {version} (x)'\n" for p in ("prometheus", "promtool")}
        for name, text in {**members, **({extra: "evil"} if extra else {})}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


class Mirror:
    """A local HTTP server of releases; `files` maps paths to bodies, `cut` are paths answered with half the body."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.url = ""

    def publish(self, archive: bytes, digest: str | None = None) -> None:
        digest = digest or hashlib.sha256(archive).hexdigest()
        others = f"{'0' * 64}  prometheus-{PINNED_VERSION}.plan9-amd64.tar.gz\n"
        self.files[f"/{FOLDER}/sha256sums.txt"] = f"{others}{digest}  {archive_name()}\n".encode()
        self.files[f"/{FOLDER}/{archive_name()}"] = archive


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = mirror.files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            half = self.path in mirror.cut
            self.wfile.write((body or b"")[: len(body or b"") // 2] if half else body or b"")

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        mirror.url = f"http://127.0.0.1:{server.server_port}"
        yield mirror
        server.shutdown()
        thread.join()


def refused(mirror: Mirror, cache: Path) -> str:
    with pytest.raises(Unusable) as error:
        obtain_from_release(cache, lambda line: None, mirror.url)
    assert list(cache.iterdir()) == [], "nothing is kept"
    return str(error.value)


def test_a_release_with_the_right_checksum_is_kept_and_found(mirror, tmp_path):
    mirror.publish(release())
    said: list[str] = []
    obtain_from_release(tmp_path, said.append, mirror.url)
    found = find_prometheus({"PATH": "/nowhere"}, tmp_path).found
    assert found is not None
    assert found.prometheus.path == tmp_path / PINNED_VERSION / "prometheus"
    assert said == [f"downloading {archive_name()}"]


def test_a_wrong_checksum_is_refused_before_unpacking(mirror, tmp_path):
    mirror.publish(release(), digest="ab" * 32)
    assert "not unpacked" in refused(mirror, tmp_path)


def test_a_release_without_a_checksum_for_the_archive_is_refused(mirror, tmp_path):
    mirror.publish(release())
    mirror.files[f"/{FOLDER}/sha256sums.txt"] = b"<html>not found</html>"
    assert "has no checksum" in refused(mirror, tmp_path)


def test_an_answer_that_is_cut_short_is_refused(mirror, tmp_path):
    mirror.publish(release())
    mirror.cut.add(f"/{FOLDER}/{archive_name()}")
    assert "could not be downloaded" in refused(mirror, tmp_path)


def test_a_truncated_archive_is_refused_even_with_its_own_checksum(mirror, tmp_path):
    mirror.publish(release()[:-30])
    assert "cannot be unpacked" in refused(mirror, tmp_path)


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped"])
def test_an_archive_that_leads_outside_is_refused(mirror, tmp_path, name):
    mirror.publish(release(extra=name))
    assert "leads outside" in refused(mirror, tmp_path / "cache")


def test_a_release_that_is_not_there_is_refused(mirror, tmp_path):
    assert "404" in refused(mirror, tmp_path)


def test_a_mirror_that_is_not_there_is_refused(tmp_path):
    gone = Mirror()
    gone.url = "http://127.0.0.1:9"
    assert "could not be downloaded" in refused(gone, tmp_path)


def test_two_at_once_keep_one_whole_copy(mirror, tmp_path):
    mirror.publish(release())
    # Processes, as it is in life: of a thread that writes a program, another's child would hold it open for writing.
    argv = [sys.executable, "-c", OBTAIN, str(tmp_path), mirror.url]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    found = [process.communicate(timeout=60)[0] for process in processes]
    assert set(found) == {f"{tmp_path / PINNED_VERSION / 'prometheus'}\n"}
    assert [entry.name for entry in tmp_path.iterdir()] == [PINNED_VERSION]


def test_when_apt_fails_the_release_is_taken(mirror, tmp_path, monkeypatch):
    mirror.publish(release())
    monkeypatch.setenv("ALERTDRILL_PROMETHEUS_RELEASES", mirror.url)
    monkeypatch.setattr(prometheus_debian, "available", lambda: True)

    def fail(cache: Path, progress: object) -> None:
        raise Unusable("is version 2.31.0; at least 2.42 is needed")

    monkeypatch.setattr(prometheus_debian, "obtain_from_debian", fail)
    said: list[str] = []
    assert obtain_prometheus(tmp_path, said.append).prometheus.version_text == PINNED_VERSION
    assert "apt: is version 2.31.0" in said[0]


def test_when_nothing_works_every_reason_and_the_mending_commands_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("ALERTDRILL_PROMETHEUS_RELEASES", "http://127.0.0.1:9")
    monkeypatch.setattr(prometheus_install.prometheus_debian, "available", lambda: False)
    with pytest.raises(PrometheusMissing) as error:
        obtain_prometheus(tmp_path)
    text = str(error.value)
    assert "release: http://127.0.0.1:9" in text
    assert "fix: alertdrill doctor --install\n" in text
    assert "export ALERTDRILL_PROMETHEUS=" in text


@pytest.mark.skipif(not prometheus_debian.available(), reason="no apt here: that way to a Prometheus is not taken")
def test_debians_package_is_unpacked_without_root_or_a_trace_outside_the_cache(tmp_path):
    said: list[str] = []
    found = obtain_from_debian(tmp_path, said.append)
    assert found.prometheus.version >= (2, 42, 0)
    assert [entry.name for entry in tmp_path.iterdir()] == [found.prometheus.version_text]
    assert sorted(entry.name for entry in found.prometheus.path.parent.iterdir()) == ["prometheus", "promtool"]
    assert said[0].startswith("apt-get update")


def test_a_package_that_apt_cannot_find_is_told_in_apts_words(tmp_path, monkeypatch):
    script = tmp_path / "bin/apt-get"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\ncase "$*" in *download*) echo "E: Unable to locate package"; exit 100;; esac\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    with pytest.raises(Unusable, match="E: Unable to locate package"):
        obtain_from_debian(tmp_path / "cache", lambda line: None)
    assert list((tmp_path / "cache").iterdir()) == []
