import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertdrill.monitor import tail as tail_module
from alertdrill.monitor.account import Account
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.bodies import Malformed
from alertdrill.monitor.notes import UNKNOWN_CODE, Failure
from alertdrill.monitor.pointer import Nowhere
from alertdrill.monitor.tail import LineFile, Tail

Parse = Callable[[bytes], dict[tuple[str, ...], float]]
Opened = Callable[..., LineFile]
LABELS = {"model": "fraud", "version": "1"}


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Makes files to read, and closes them in the end."""
    made: list[LineFile] = []

    def make(path: Path, from_start: bool = True) -> LineFile:
        made.append(LineFile(path, from_start))
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
    file = opened(path, from_start=False)
    assert all_of(file) == []
    append(path, b"new\n")
    assert all_of(file) == [b"new"]


def test_a_file_that_comes_later_is_read_from_its_first_line(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "log"
    file = opened(path, from_start=False)
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
    monkeypatch.setattr(tail_module, "LONGEST_LINE_BYTES", 100)
    monkeypatch.setattr(tail_module, "READ_BYTES", 64)
    path = tmp_path / "log"
    append(path, b"one\n" + b"x" * 1000 + b"\ntwo\n")
    file = opened(path)
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


def tail(inputs: str = "/inputs", outputs: str = "/outputs") -> Tail:
    return Tail(LABELS, LineFile(Path("/nowhere"), True), inputs, outputs)


def test_a_line_of_our_own_log_says_everything() -> None:
    line = {
        "timestamp": 1790000000.5, "request_id": "r", "code": 503, "latency": 0.25, "inputs": {"a": 1}, "outputs": None,
        "failure": "timeout",
    }  # fmt: skip
    note = tail().note_of(line)
    assert (note.code, note.duration_s, note.at, note.request_id) == (503, 0.25, 1790000000.5, "r")
    assert (note.body, note.answer, note.failure) == (b'{"a":1}', None, Failure.TIMEOUT)


def test_what_could_not_be_read_then_is_still_not() -> None:
    note = tail().note_of({"malformed": "bad_json", "malformed_outputs": "too_large", "inputs": None, "outputs": None})
    assert (note.body, note.answer) == (Malformed.BAD_JSON, BadAnswer.TOO_LARGE)


def test_other_logs_are_read_by_pointers() -> None:
    note = tail(inputs="", outputs="/prediction").note_of({"amount": 5, "prediction": {"label": 1}})
    assert (note.body, note.answer) == (b'{"amount":5,"prediction":{"label":1}}', b'{"label":1}')
    assert (note.code, note.duration_s, note.request_id) == (200, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "200", "latency": "x"},
        {"code": 10**9, "latency": -1.0},
        {"code": None, "latency": 1e99},
        {"code": [], "latency": {}, "failure": [], "malformed": {}, "malformed_outputs": [], "timestamp": [5]},
    ],
)
def test_absurd_values_are_not_known(wrong: dict[str, Any]) -> None:
    note = tail().note_of({"inputs": {}, **wrong})
    assert (note.code, note.duration_s, note.at, note.failure) == (UNKNOWN_CODE, None, 0.0, None)


@pytest.mark.parametrize("name", [None, True, 1.5, [], {}])
def test_what_is_no_id_names_no_exchange(name: Any) -> None:
    assert tail().note_of({"inputs": {}, "request_id": name}).request_id is None


@pytest.mark.parametrize(("name", "text"), [("r-7", "r-7"), (7, "7")])
def test_an_id_is_a_text_or_a_whole_number(name: Any, text: str) -> None:
    assert tail().note_of({"inputs": {}, "request_id": name}).request_id == text


def test_nulls_say_what_keys_that_are_missing_say() -> None:
    names = ("latency", "timestamp", "failure", "request_id", "malformed", "malformed_outputs", "outputs", "version")
    assert tail().note_of({"inputs": {}, **dict.fromkeys(names)}) == tail().note_of({"inputs": {}})


@pytest.mark.parametrize(("levels", "is_read"), [(254, True), (255, False), (1000, False)])
def test_what_is_nested_too_deep_to_be_kept_is_malformed_and_nothing_else_is_lost(
    account: Account, values: Parse, levels: int, is_read: bool
) -> None:
    deep = "[" * levels + "]" * levels
    of = tail()
    for line in (f'{{"inputs":{deep},"outputs":{deep}}}', '{"inputs":{"id":"1","amount":5,"country":"DE"}}'):
        of._take(line.encode(), account)
    (note, _), counts = list(account._notes), of.counts
    assert (type(note.body) is bytes, type(note.answer) is bytes) == (is_read, is_read)
    if not is_read:
        assert (note.body, note.answer) == (Malformed.BAD_JSON, BadAnswer.BAD_JSON)
    assert counts["read"] == 2
    assert values(account.scrape())["model_monitor_errors_total",] == 0


@pytest.mark.parametrize("line", [{}, [], 5, None])
def test_a_line_without_inputs_is_nowhere(line: Any) -> None:
    with pytest.raises(Nowhere):
        tail().note_of(line)


def test_lines_are_noted_as_they_come(tmp_path: Path, account: Account, values: Parse) -> None:
    path = tmp_path / "log"
    row = {"id": "1", "amount": 50.0, "country": "DE"}
    append(path, json.dumps({"inputs": row}).encode() + b'\n{"inp\n{}\n\xff\n')
    of = Tail(LABELS, LineFile(path, True), "/inputs", "/outputs")

    async def follow() -> None:
        task = asyncio.create_task(of.follow(account))
        async with asyncio.timeout(10):
            while sum(of.counts.values()) < 4:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        task.cancel()
        of.close()

    asyncio.run(follow())
    seen = values("".join(of.render()).encode())
    counts = {name[1]: n for name, n in seen.items() if name[0] == "model_tail_lines_total"}
    assert counts == {"read": 1, "bad_json": 2, "no_inputs": 1, "too_long": 0}
    assert values(account.scrape())["model_feature_values_total", "country", "DE"] == 1
