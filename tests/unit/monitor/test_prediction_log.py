import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from alertdrill.monitor.answers import BadAnswer, read_answer
from alertdrill.monitor.bodies import Bodies
from alertdrill.monitor.failures import Failures
from alertdrill.monitor.log_writer import LogWriter
from alertdrill.monitor.notes import Batch, Failure, Note
from alertdrill.monitor.prediction_log import PredictionLog
from alertdrill.monitor.redaction import DEEPEST, REDACTED, Redaction
from alertdrill.monitor.sources import Place, Source, lookup
from alertdrill.protocols.features import Feature, FeatureKind
from alertdrill.protocols.malformed import Malformed
from alertdrill.protocols.mlflow import Mlflow

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

    def __init__(
        self, folder: Path, share: float = 1.0, redact: Any = (), metadata: Any = (), are_texts: bool = False
    ) -> None:
        self.path = folder / "log.jsonl"
        writer = LogWriter(self.path, 1 << 20, 3)
        ids = lookup(Source(Place.ANSWER, "/prediction_id"))
        self.failures = Failures()
        self.log = PredictionLog(LABELS, writer, share, Redaction(redact), metadata, ids, self.failures, are_texts)

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


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1, 480, 1000])
@pytest.mark.parametrize("around", [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("redact", [(), ("card",)])
def test_nesting_without_end_is_cut_off_and_costs_no_line(
    tmp_path: Path, depth: int, around: tuple[bytes, bytes], redact: tuple[str, ...]
) -> None:
    written = Written(tmp_path, redact=redact)
    opens, closes = around
    value = opens * (depth - 1) + b'{"card":4111}' + closes * (depth - 1)
    packed = gzip.compress(value)
    some = [note(), note(b'{"deep":%b}' % value), note(answer=packed, answer_headers=((b"content-encoding", b"gzip"),))]
    rows = [Bodies().read(one.body) for one in some]  # type: ignore[arg-type]
    written.log.take(Batch(some, rows, [read_answer(one.answer, one.answer_headers) for one in some]))
    written.log.close()
    text = written.path.read_text()
    assert text.count("\n") == 3
    assert written.failures.count == 0
    if redact:
        assert "4111" not in text
    assert (REDACTED in text.splitlines()[2]) == (depth > DEEPEST or bool(redact))


def test_a_line_that_cannot_be_written_costs_no_other(
    tmp_path: Path, values: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Written(tmp_path, redact=["card"])
    whole = Redaction.of

    def of(self: Redaction, value: Any) -> Any:
        if value == {"amount": 1}:
            raise RecursionError
        return whole(self, value)

    monkeypatch.setattr(Redaction, "of", of)
    written.log.take(batch(*[note(b'{"amount":%d}' % n) for n in range(4)]))
    assert [line["inputs"]["amount"] for line in written.lines()] == [0, 2, 3]
    seen = values("".join(written.log.render()))
    outcomes = {name[1]: n for name, n in seen.items() if name[0] == "model_monitor_log_lines_total"}
    assert outcomes == {"written": 3, "sampled_out": 0, "dropped": 0, "failed": 1}
    assert written.failures.count == 1


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


@pytest.mark.parametrize("redact", [(), ("amount",)])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_lines_written_together_are_those_written_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, redact: tuple[str, ...]
) -> None:
    draw = random.Random(3)
    ids = ["a", '"', 'x","y', "\\", "é\n", "5" * 300, "", "%d", "{}"]

    def one() -> Note:
        body = draw.choice(
            [b'{"amount": 50.0}', b'{\r\n"amount": "%b"}', b"{", b"", b"[1]", Malformed.INCOMPLETE, None]
        )
        answer = draw.choice(
            [orjson.dumps({"prediction_id": draw.choice(ids)}), b'{"prediction_id": 7}', b"{}", b"NaN", b"null", None]
        )
        named = ((b"x-request-id", draw.choice(ids).encode()), (b"user-agent", draw.choice([b"a", b'"\xff%b'])))
        headers = draw.choice([(), named, named[1:]])
        more: dict[str, Any] = {"failure": draw.choice([None, None, Failure.RESET]), "headers": headers}
        if answer is not None and draw.random() < 0.2:
            answer, more["answer_headers"] = gzip.compress(answer), ((b"content-encoding", b"gzip"),)
        note_ = note(body, answer, draw.choice([200, 200, 500]), **more)  # type: ignore[arg-type]
        return note_._replace(duration_s=draw.choice([None, 1e-7, 0.25]), request_id=draw.choice([None, None, *ids]))

    notes = [one() for _ in range(600)] + [note(headers=HEADERS) for _ in range(300)]
    rows = [Bodies().read(one.body) if isinstance(one.body, bytes) else one.body for one in notes]
    found = [read_answer(one.answer, one.answer_headers) if one.code == 200 else None for one in notes]
    given = Batch(notes, rows, found)
    texts = []
    for name in ("together", "each"):
        (tmp_path / name).mkdir()
        written = Written(tmp_path / name, share, redact, ["user-agent", "x-none"])
        written.log._mark = "mark"
        if name == "each":
            careful = written.log._line
            monkeypatch.setattr(written.log, "_written", lambda all_, line=careful: [line(*one) for one in all_])
        for start in range(0, len(notes), 100):
            part = slice(start, start + 100)
            written.log.take(Batch(given.notes[part], given.rows[part], given.answers[part]))
        written.log.close()
        texts.append(written.path.read_bytes())
    assert texts[0] == texts[1]
    assert texts[0].count(b"\n") == len(notes) - written.log.sampled_out


def test_an_error_inside_a_200_is_kept_with_its_reason(tmp_path: Path) -> None:
    written = Written(tmp_path)
    one = note(answer=b'{"error": "no such model"}')
    written.log.take(Batch([one], [({"amount": 50.0},)], [BadAnswer.ERROR]))
    [line] = written.lines()
    assert (line["malformed_outputs"], line["outputs"]) == ("error", {"error": "no such model"})


@pytest.mark.parametrize("redact", [(), ("amount",)])
def test_rows_of_a_request_that_is_no_json_are_written_and_can_be_read_again(tmp_path: Path, redact: Any) -> None:
    written = Written(tmp_path, redact=redact, are_texts=True)
    protocol, features = Mlflow(format="csv"), (Feature(name="amount", kind=FeatureKind.NUMBER),)
    one = note(body=b"amount\r\n50\r\n")
    written.log.take(Batch([one], [protocol.read(one.body, features)], [{"score": 0.5}]))  # type: ignore[arg-type]
    [line] = written.lines()
    again = protocol.read(orjson.dumps(line["inputs"]), features)
    assert (again == [{"amount": 50.0}]) != bool(redact)
    assert "50" not in str(line["inputs"]) or not redact
