import os
from pathlib import Path

import pytest

from alertdrill.monitor.own_log import is_own_log


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log, links to it and to its folder, and where we are."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.jsonl").write_text("{}\n")
    (tmp_path / "link").symlink_to(tmp_path / "logs" / "log.jsonl")
    (tmp_path / "link-to-older").symlink_to(tmp_path / "logs" / "log.jsonl.2")
    (tmp_path / "same").symlink_to(tmp_path / "logs")
    os.link(tmp_path / "logs" / "log.jsonl", tmp_path / "hard")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "other",
    [
        "logs/log.jsonl", "./logs/../logs/log.jsonl", "link", "hard", "same/log.jsonl",
        "logs/log.jsonl.1", "logs/log.jsonl.27", "same/log.jsonl.1", "link-to-older",
    ],
)  # fmt: skip
def test_a_file_its_links_and_its_rotated_names_are_one_log(folder: Path, other: str) -> None:
    for first in (Path("logs/log.jsonl"), folder / "logs" / "log.jsonl", Path("link")):
        assert is_own_log(first, Path(other))
        assert is_own_log(Path(other), first)


def test_a_link_that_is_rotated_is_one_log_with_what_it_becomes() -> None:
    assert is_own_log(Path("link.1"), Path("link"))


@pytest.mark.parametrize(
    "other", ["logs/other.jsonl", "log.jsonl", "logs/log.jsonl.old", "logs/log", "logs", "nowhere/x"]
)
def test_others_are_others(other: str) -> None:
    assert not is_own_log(Path("logs/log.jsonl"), Path(other))
    assert not is_own_log(Path(other), Path("logs/log.jsonl"))
    assert not is_own_log(Path("logs/log.jsonl.1"), Path("logs/log.jsonl.2.1"))
