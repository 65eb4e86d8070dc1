import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from alertdrill.monitor.answers import read_answer
from alertdrill.monitor.bodies import Bodies, Malformed
from alertdrill.monitor.log_writer import LogWriter
from alertdrill.monitor.notes import Batch, Failure, Note
from alertdrill.monitor.prediction_log import PredictionLog
from alertdrill.monitor.redaction import REDACTED, Redaction
from alertdrill.monitor.sources import Place, Source, lookup

Parse = Callable[[str], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}
HEADERS = ((b"x-request-id", b"req-7"), (b"user-agent", b"curl/8"), (b"authorization", b"secret"))


def note(body: bytes = b'{"amount": 50.0}', answer: Any = b'{"score": 0.5}', code: int = 200, **more: Any) -> Note:
    return Note(code, 0.25, True, body, answer, 1790000000.5, **more)


def batch(*notes: Note) -> Batch:
    """What the account makes of notes."""
    rows = [Bodies().read(one.body) for one in notes if isinstance(one.body, bytes)]
    return Batch(notes, rows, [read_answer(one.answer) if one.code == 200 else None for one in notes])


class Written:
    """A log in a folder, and its lines."""

    def __init__(self, folder: Path, share: float = 1.0, redact: Any = (), metadata: Any = ()) -> None:
        self.path = folder / "log.jsonl"
        writer = LogWriter(self.path, 1 << 20, 3)
        self.log = PredictionLog(
            LABELS, writer, share, Redaction(redact), metadata, lookup(Source(Place.ANSWER, "/prediction_id"))
        )

    def lines(self) -> list[dict[str, Any]]:
        self.log.close()
        if not self.path.exists():
            return []
        with self.path.open() as file:  # which takes \r for a line end, too
            return [json.loads(line) for line in file]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def test_a_line_holds_the_whole_exchange(tmp_path: Path) -> None:
    written = Written(tmp_path, metadata=["user-agent", "x-none"])
    written.log.take(batch(note(headers=HEADERS)))
    assert written.lines() == [
        {
            "timestamp": 1790000000.5,
            "request_id": "req-7",
            "model": "fraud",
            "version": "1",
            "code": 200,
            "latency": 0.25,
            "inputs": {"amount": 50.0},
            "outputs": {"score": 0.5},
            "metadata": {"user-agent": "curl/8"},
        }
    ]


def test_bodies_with_line_ends_stay_on_one_line(written: Written) -> None:
    body = json.dumps({"amount": 50.0, "text": "a\nb\u2028c"}, indent=2).replace("\n", "\r\n").encode()
    written.log.take(batch(*[note(body)] * 3))
    assert [line["inputs"] for line in written.lines()] == [{"amount": 50.0, "text": "a\nb\u2028c"}] * 3


def test_what_could_not_be_read_is_named_and_not_copied(written: Written) -> None:
    written.log.take(batch(note(b'{"card": "4111'), note(answer=b"\xff"), note(code=500, failure=Failure.RAISED)))
    malformed, unreadable, failed = written.lines()
    assert (malformed["malformed"], malformed["inputs"]) == (Malformed.BAD_JSON, None)
    assert (unreadable["malformed_outputs"], unreadable["outputs"]) == ("bad_encoding", None)
    assert (failed["code"], failed["failure"], failed["outputs"]) == (500, "raised", None)
    assert "4111" not in written.path.read_text()


def test_a_compressed_answer_is_written_as_it_reads(tmp_path: Path) -> None:
    body, coding = gzip.compress(b'{"card": "4111",\n "score": 0.5}'), ((b"content-encoding", b"gzip"),)
    for redact, card in (([], "4111"), (["card"], REDACTED)):
        written = Written(tmp_path / card, redact=redact)
        of = note(answer=body, answer_headers=coding)
        written.log.take(Batch([of], [None], [read_answer(of.answer, of.answer_headers)]))
        assert written.lines()[0]["outputs"] == {"card": card, "score": 0.5}


def test_redacted_fields_are_nowhere_in_the_file(tmp_path: Path) -> None:
    written = Written(tmp_path, redact=["Card", "authorization"], metadata=["authorization"])
    body = orjson.dumps({"card": "4111", "deep": [{"CARD": {"n": "4111"}}], "amount": 5})
    written.log.take(batch(note(body, b'{"card": "4111", "score": 1}', headers=HEADERS)))
    (line,) = written.lines()
    assert line["inputs"] == {"card": REDACTED, "deep": [{"CARD": REDACTED}], "amount": 5}
    assert line["outputs"] == {"card": REDACTED, "score": 1}
    assert line["metadata"] == {"authorization": REDACTED}
    assert "4111" not in written.path.read_text()
    assert "secret" not in written.path.read_text()


def test_an_id_comes_from_header_then_answer_then_a_count_of_its_own(written: Written) -> None:
    written.log.take(
        batch(
            note(headers=HEADERS, answer=b'{"prediction_id": "p-1"}'),
            note(answer=b'{"prediction_id": "p-1"}'),
            note(answer=b'{"prediction_id": null}'),
            note(answer=b"[]"),
            note(request_id="ce-9", headers=HEADERS),
        )
    )
    ids = [line["request_id"] for line in written.lines()]
    assert ids[:2] == ["req-7", "p-1"]
    assert len(set(ids)) == 5
    assert ids[4] == "ce-9"


def test_a_share_is_chosen_by_the_id_and_is_the_same_everywhere(tmp_path: Path, values: Parse) -> None:
    some = batch(*[note(request_id=f"r{i}") for i in range(2000)])
    chosen = []
    for name in ("a", "b"):
        written = Written(tmp_path / name, share=0.25)
        written.log.take(some)
        chosen.append([line["request_id"] for line in written.lines()])
    assert chosen[0] == chosen[1]
    assert 420 <= len(chosen[0]) <= 580
    seen = values("".join(written.log.render()))
    assert seen["model_monitor_log_lines_total", "sampled_out"] == 2000 - len(chosen[0])
    assert seen["model_monitor_log_lines_total", "written"] == len(chosen[0])


def test_a_share_of_none_writes_nothing(tmp_path: Path) -> None:
    written = Written(tmp_path, share=0.0)
    written.log.take(batch(*[note(request_id=f"r{i}") for i in range(50)]))
    assert written.lines() == []
