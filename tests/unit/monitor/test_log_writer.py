import os
from pathlib import Path

import pytest

from alertdrill.monitor import log_writer
from alertdrill.monitor.log_writer import LogWriter

BLOCK = b'{"n": 1}\n' * 10


def put(writer: LogWriter, count: int, block: bytes = BLOCK) -> None:
    for _ in range(count):
        writer.put(block, block.count(b"\n"))
    writer.close()


def test_files_are_rotated_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.jsonl"
    writer = LogWriter(path, max_bytes=2 * len(BLOCK), files=3)
    put(writer, 9)
    assert sorted(one.name for one in path.parent.iterdir()) == ["log.jsonl", "log.jsonl.1", "log.jsonl.2"]
    assert path.read_bytes() == BLOCK
    assert (path.parent / "log.jsonl.1").read_bytes() == (path.parent / "log.jsonl.2").read_bytes() == BLOCK * 2
    assert (writer.written, writer.rotations, writer.failed) == (90, 4, 0)


def test_one_file_alone_is_begun_anew(tmp_path: Path) -> None:
    put(LogWriter(tmp_path / "log", 2 * len(BLOCK), 1), 5)
    assert [one.name for one in tmp_path.iterdir()] == ["log"]
    assert (tmp_path / "log").read_bytes() == BLOCK


def test_a_block_longer_than_a_file_is_written_whole(tmp_path: Path) -> None:
    put(LogWriter(tmp_path / "log", 10, 2), 2)
    assert (tmp_path / "log").read_bytes() == (tmp_path / "log.1").read_bytes() == BLOCK


def test_what_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"before\n")
    put(LogWriter(tmp_path / "log", 1 << 20, 2), 1)
    assert (tmp_path / "log").read_bytes() == b"before\n" + BLOCK


def test_a_file_that_somebody_moves_away_is_followed_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = LogWriter(path, 1 << 20, 2)
    put(writer, 1)
    path.rename(tmp_path / "moved")
    put(writer, 1)
    assert path.read_bytes() == (tmp_path / "moved").read_bytes() == BLOCK


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_costs_lines_that_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    writer = LogWriter(Path("/dev/full"), 1 << 20, 2)
    put(writer, 3)
    assert (writer.written, writer.failed) == (0, 30)
    assert len(caplog.records) == 1
    assert "No space left" in caplog.text


def test_a_block_that_fits_only_in_part_leaves_no_part_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    writer = LogWriter(path, 1 << 20, 2)
    put(writer, 1)
    real = os.write

    def full(fd: int, data: bytes) -> int:
        if len(data) < len(BLOCK):
            raise OSError(28, "No space left on device")
        return real(fd, data[:5])

    monkeypatch.setattr(log_writer.os, "write", full)
    put(writer, 1)
    monkeypatch.undo()
    put(writer, 1)
    assert path.read_bytes() == BLOCK * 2
    assert (writer.written, writer.failed) == (20, 10)


def test_a_folder_that_cannot_be_made_costs_lines_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = LogWriter(tmp_path / "file" / "log", 1 << 20, 2)
    put(writer, 2)
    assert writer.failed == 20


def test_a_disk_that_does_not_keep_up_costs_lines_and_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "MOST_WAITING_BYTES", len(BLOCK) - 1)
    writer = LogWriter(tmp_path / "log", 1 << 20, 2)
    put(writer, 3)
    assert (writer.dropped, writer.written) == (30, 0)
