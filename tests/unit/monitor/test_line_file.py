import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertdrill.monitor import line_file
from alertdrill.monitor.line_file import START, LineFile, Position, end_of

Opened = Callable[..., LineFile]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Makes files to read, and closes them in the end."""
    made: list[LineFile] = []

    def make(path: Path, *more: Any, **named: Any) -> LineFile:
        made.append(LineFile(path, *more, **named))
        return made[-1]

    yield make
    for file in made:
        file.close()


def all_of(file: LineFile) -> list[bytes]:
    """Everything that can be read without anybody writing."""
    found: list[bytes] = []
    for _ in range(50):
        found += file.read()
    return found


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def test_half_a_line_waits_for_its_end(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    file = opened(path)
    assert all_of(file) == []
    append(path, b"one\ntw")
    assert all_of(file) == [b"one"]
    append(path, b"o\n\n  \nthree\n")
    assert all_of(file) == [b"two", b"three"]


def test_from_the_end_on_is_what_comes_later(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    append(path, b"old\n")
    file = opened(path, end_of(path))
    assert all_of(file) == []
    append(path, b"new\n")
    assert all_of(file) == [b"new"]


def test_a_file_that_comes_later_is_read_from_its_first_line(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    file = opened(path, end_of(path))
    assert all_of(file) == []
    append(path, b"first\n")
    assert all_of(file) == [b"first"]


def test_a_rotated_file_is_read_to_its_end_and_then_the_next(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    append(path, b"one\n")
    file = opened(path)
    assert file.read() == [b"one"]
    append(path, b"two\nhalf")
    path.rename(tmp_path / "log.1")
    assert all_of(file) == [b"two"]
    append(path, b"three\n")
    assert all_of(file) == [b"half", b"three"]
    assert file.rotations == 1


def test_several_rotations_between_two_looks_lose_nothing(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    append(path, b"0\n")
    file = opened(path)
    assert file.read() == [b"0"]
    for number in range(1, 6):
        for older in range(number - 1, 0, -1):
            (tmp_path / f"log.{older}").rename(tmp_path / f"log.{older + 1}")
        path.rename(tmp_path / "log.1")
        append(path, b"%d\n" % number)
    assert all_of(file) == [b"%d" % number for number in range(1, 6)]
    assert file.rotations == 5


def test_a_log_whose_highest_number_is_the_newest_is_not_read_twice(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    append(path, b"0\n")
    os.utime(path, (5.0, 5.0))
    file = opened(path)
    assert all_of(file) == [b"0"]
    path.rename(tmp_path / "log.1")
    for number in (1, 2):
        append(path, b"%d\n" % number)
        assert all_of(file) == [b"%d" % number]
        path.rename(tmp_path / f"log.{number + 1}")
    append(path, b"3\n")
    assert all_of(file) == [b"3"]


def test_a_truncated_file_is_read_anew(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    append(path, b"one\ntwo\n")
    file = opened(path)
    assert all_of(file) == [b"one", b"two"]
    path.write_bytes(b"three\n")
    assert all_of(file) == [b"three"]
    assert file.rotations == 1


def test_a_line_without_end_is_skipped_and_counted(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_file, "LONGEST_LINE_BYTES", 100)
    path = tmp_path / "log"
    append(path, b"one\n" + b"x" * 1000 + b"\ntwo\n")
    file = opened(path, read_bytes=64)
    assert all_of(file) == [b"one", b"two"]
    assert file.too_long == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=30), st.sampled_from(["append", "rotate", "read"])), max_size=20))
def test_every_line_comes_once_and_in_order(tmp_path: Path, opened: Opened, steps: list[tuple[bytes, str]]) -> None:
    path = tmp_path / "log"
    for old in tmp_path.iterdir():
        old.unlink()
    append(path, b"")
    file, wrote, read, number = opened(path), b"", list[bytes](), 0
    for data, step in steps:
        if step == "rotate":
            read += all_of(file)  # a file that is rotated twice between two looks is lost
            append(path, b"\n")
            wrote += b"\n"
            path.rename(tmp_path / f"moved-{number}")
            number += 1
            append(path, b"")
        elif step == "read":
            read += file.read()
        else:
            append(path, data)
            wrote += data
    append(path, b"\n")
    read += all_of(file)
    assert read == [line for line in (wrote + b"\n").split(b"\n") if line.strip()]


def test_a_file_that_was_moved_is_read_until_the_next_one_is_written_to(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    append(path, b"one\n")
    file = opened(path)
    assert all_of(file) == [b"one"]
    path.rename(tmp_path / "log.1")
    append(path, b"")
    assert all_of(file) == []
    append(tmp_path / "log.1", b"two\n")  # by whoever has not turned to the new file yet
    append(path, b"three\n")
    assert all_of(file) == [b"two", b"three"]


def test_another_file_than_that_of_the_position_or_a_shorter_one_is_read_from_its_beginning(
    tmp_path: Path, opened: Opened
) -> None:
    path = tmp_path / "log"
    append(path, b"one\ntwo\n")
    inode = path.stat().st_ino
    assert all_of(opened(path, Position(inode, 4))) == [b"two"]
    assert all_of(opened(path, Position(inode, 9))) == all_of(opened(path, Position(inode + 1, 4))) == [b"one", b"two"]


def test_a_file_that_cannot_be_read_is_no_file_that_is_yet_to_come(tmp_path: Path, opened: Opened) -> None:
    file = opened(tmp_path)
    with pytest.raises(IsADirectoryError):
        file.read()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=9), max_size=20), st.integers(5, 9), st.integers(0, 20))
def test_reading_goes_on_at_any_position_with_the_next_line(
    tmp_path: Path, opened: Opened, texts: list[bytes], read_bytes: int, reads: int
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\n".join(texts))
    file = opened(path, read_bytes=read_bytes)
    found = [line for _ in range(reads) for line in file.read()]
    file.resume(file.position)
    assert found + all_of(file) == [line for line in path.read_bytes().split(b"\n")[:-1] if line.strip()]


def test_the_rest_of_a_line_that_is_too_long_is_never_taken_for_a_line(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_file, "LONGEST_LINE_BYTES", 10)
    path = tmp_path / "log"
    append(path, b"one\n" + b"x" * 100)
    file = opened(path)
    assert all_of(file) == [b"one"]
    append(path, b"rest\ntwo\n")
    assert all_of(opened(path, file.position, read_bytes=8)) == all_of(file) == [b"two"]


def test_a_name_without_a_file_begins_with_its_first_line() -> None:
    assert end_of(Path("/nowhere/log")) == START
