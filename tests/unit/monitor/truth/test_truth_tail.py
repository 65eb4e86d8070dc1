from pathlib import Path

from alertdrill.monitor.truth import tail as tail_module
from alertdrill.monitor.truth.tail import Position, Tail


def lines(tail: Tail) -> list[bytes]:
    found = list[bytes]()
    while (read := tail.read()) is not None:
        found += read.whole
    return found


def test_only_whole_lines_are_read_each_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    assert lines(tail) == []
    path.write_bytes(b"one\n\ntwo\nthr")
    assert lines(tail) == [b"one", b"two"]
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert lines(tail) == [b"three"]
    tail.close()


def test_reading_goes_on_from_where_the_store_says(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\n")
    tail = Tail(path)
    first = tail.read()
    assert first is not None
    tail.resume(Position(first.position.inode, 4))
    assert lines(tail) == [b"two"]
    tail.resume(None)
    assert lines(tail) == [b"one", b"two"]
    tail.close()


def test_a_file_that_is_replaced_is_read_to_its_end_and_then_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    tail = Tail(path)
    assert lines(tail) == [b"one"]
    with path.open("ab") as file:
        path.rename(tmp_path / "log.1")
        file.write(b"last\n")
    path.write_bytes(b"new\n")
    assert lines(tail) == [b"last"]
    assert lines(tail) == [b"new"]
    path.write_bytes(b"x\n")
    assert lines(tail) == []
    assert lines(tail) == [b"x"]
    tail.close()


def test_a_line_that_is_too_long_is_left_out_and_counted_once(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(tail_module, "CHUNK_BYTES", 16)
    path = tmp_path / "log"
    path.write_bytes(b"one\n" + b"x" * 100 + b"\ntwo\n")
    tail, found, too_long = Tail(path), list[bytes](), 0
    while (read := tail.read()) is not None:
        found += read.whole
        too_long += read.too_long
    assert (found, too_long) == ([b"one", b"two"], 1)
    tail.close()
