import io
import tarfile
from pathlib import Path

import pytest

from alertdrill.adapters.prometheus_binary import Unusable
from alertdrill.adapters.prometheus_release import PINNED_VERSION, archive_name, releases_url, unpack


def archive(path: Path, members: dict[str, bytes | None]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return path


def test_platforms_have_the_names_of_the_projects_archives():
    assert archive_name("Linux", "x86_64") == f"prometheus-{PINNED_VERSION}.linux-amd64.tar.gz"
    assert archive_name("Darwin", "arm64") == f"prometheus-{PINNED_VERSION}.darwin-arm64.tar.gz"
    with pytest.raises(Unusable, match="Plan9 on mips"):
        archive_name("Plan9", "mips")


def test_a_mirror_can_be_named():
    assert releases_url({"ALERTDRILL_PROMETHEUS_RELEASES": "http://127.0.0.1:1/x/"}) == "http://127.0.0.1:1/x"
    assert releases_url({}).startswith("https://github.com/prometheus/prometheus/")


def test_only_the_two_programs_are_taken_out(tmp_path):
    members = {"p/prometheus": b"a", "p/promtool": b"b", "p/consoles/index.html": b"c", "p/LICENSE": b"d"}
    directory = unpack(archive(tmp_path / "a.tar.gz", members), tmp_path / "out")
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == {"prometheus": b"a", "promtool": b"b"}
    assert (directory / "prometheus").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "p/../../escaped"])
def test_an_archive_that_leads_outside_is_refused(tmp_path, name):
    bad = archive(tmp_path / "a.tar.gz", {"p/prometheus": b"a", "p/promtool": b"b", name: b"evil"})
    with pytest.raises(Unusable, match="leads outside"):
        unpack(bad, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_link_in_place_of_a_program_is_refused(tmp_path):
    bad = archive(tmp_path / "a.tar.gz", {"p/prometheus": None, "p/promtool": b"b"})
    with pytest.raises(Unusable, match="no prometheus"):
        unpack(bad, tmp_path / "out")


def test_a_truncated_archive_is_refused(tmp_path):
    whole = archive(tmp_path / "a.tar.gz", {"p/prometheus": bytes(range(256)) * 500, "p/promtool": b"b"})
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(Unusable, match="cannot be unpacked"):
        unpack(whole, tmp_path / "out")
