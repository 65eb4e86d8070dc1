import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alertdrill.monitor.account import Account
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.line_file import LineFile
from alertdrill.monitor.notes import UNKNOWN_CODE, Failure
from alertdrill.monitor.tail import Tail
from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.pointer import Nowhere

Parse = Callable[[bytes], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def tail(inputs: str = "/inputs", outputs: str = "/outputs") -> Tail:
    return Tail(LABELS, LineFile(Path("/nowhere")), inputs, outputs)


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
    of = Tail(LABELS, LineFile(path), "/inputs", "/outputs")

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
