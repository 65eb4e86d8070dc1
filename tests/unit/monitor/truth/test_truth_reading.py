"""What exchanges say of their predictions."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from alertdrill.monitor.answers import read_answer
from alertdrill.monitor.notes import Batch, Note
from alertdrill.monitor.sources import Place, Source, parse_source
from alertdrill.monitor.truth.joining import Prediction
from alertdrill.monitor.truth.reading import Reader, Sources, Unread
from alertdrill.protocols.figures import Task
from alertdrill.protocols.oip_v2 import OipV2

ANSWER = {"prediction_id": "p1", "out": [{"label": 1, "score": 0.75}], "a/b": {"~": 3}}
WALL, STEADY = 1_790_000_000.0, 500.0


def note(answer: Any = ANSWER, body: Any = b'{"tx": 12}', at: float = WALL, name: str | None = None) -> Note:
    text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    asked, answered = ((b"x-request-id", b"r1"),), ((b"x-model", b"v2"),)
    return Note(200, 0.1, True, body, text, at, asked, answered, None, name)


def read(
    *notes: Note,
    identity: str = "/prediction_id",
    version: str | None = None,
    label: str = "/out/0/label",
    task: Task = Task.CLASSIFICATION,
) -> Sequence[Prediction | Unread]:
    label_at, score_at = (Source(Place.ANSWER, path) for path in (label, label.replace("label", "score")))
    sources = Sources(parse_source(identity), label_at, score_at, parse_source(version) if version else None)
    answers = [read_answer(one.answer) for one in notes]
    return list(Reader(sources, task, "1").read(Batch(notes, [None] * len(notes), answers), WALL, STEADY))


def test_a_prediction_is_read_by_pointers_and_headers() -> None:
    assert read(note()) == [Prediction("p1", STEADY, "1", "1", 0.75)]
    for where, identity in (("request:/tx", "12"), ("request-header:x-request-id", "r1"), ("/a~1b/~0", "3")):
        [found] = read(note(), identity=where)
        assert isinstance(found, Prediction)
        assert found.id == identity
    [found] = read(note(), version="answer-header:x-model")
    assert isinstance(found, Prediction)
    assert found.version == "v2"


def test_a_prediction_is_as_old_as_its_note_says_and_never_from_the_future() -> None:
    found = read(note(at=WALL - 3_600.0), note(at=WALL + 60.0), note(at=0.0))
    assert [one.at for one in found if isinstance(one, Prediction)] == [STEADY - 3_600.0, STEADY, STEADY]


def test_the_id_of_an_event_or_a_log_stands_in_for_one_that_is_missing() -> None:
    [found, other] = read(note({"x": 1}, name="ce-7"), note(name="ce-8"))
    assert isinstance(found, Prediction)
    assert isinstance(other, Prediction)
    assert (found.id, other.id) == ("ce-7", "p1")


def test_an_answer_with_lists_has_a_prediction_for_each_id() -> None:
    batch = note({"prediction_id": ["a", 7, None], "label": [1, 0, 1], "score": [0.9, 0.1, 0.8]})
    assert read(batch, label="/label") == [
        Prediction("a", STEADY, "1", "1", 0.9),
        Prediction("7", STEADY, "1", "0", 0.1),
        Unread.NO_ID,
    ]
    single = note({"prediction_id": "a", "label": [1], "score": [0.9]})
    assert read(single, label="/label") == [Prediction("a", STEADY, "1", "1", 0.9)]
    assert read(note({"prediction_id": ["a", "b"], "label": [1]}), label="/label") == [Unread.WRONG_BATCH]


def test_a_regression_predicts_a_number() -> None:
    [found] = read(note({"prediction_id": "a", "label": 2.5}), label="/label", task=Task.REGRESSION)
    assert found == Prediction("a", STEADY, "1", 2.5, None)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", Unread.BAD_BODY),
        (b"<html>", Unread.BAD_BODY),
        ([1], Unread.NO_ID),
        ({"prediction_id": None}, Unread.NO_ID),
        ({"prediction_id": {"x": 1}}, Unread.NO_ID),
        ({"prediction_id": "x" * 201}, Unread.NO_ID),
    ],
)
def test_an_answer_that_no_label_can_join_has_a_reason(answer: object, why: Unread) -> None:
    assert read(note(answer)) == [why]


def test_a_request_that_cannot_be_read_holds_no_id() -> None:
    assert read(note(body=b"{"), identity="request:/tx") == [Unread.BAD_BODY]
    assert read(note(body=b"{}"), identity="request:/tx") == [Unread.NO_ID]
    assert read(note(), identity="answer-header:x-request-id") == [Unread.NO_ID]


def test_where_nothing_was_predicted_nothing_is_read() -> None:
    failed = Note(500, 0.1, True, b"{}", b'{"prediction_id": "p1"}', WALL)
    sources = Sources(Source(Place.ANSWER, "/prediction_id"), None, None, None)
    assert list(Reader(sources, Task.CLASSIFICATION, "1").read(Batch([failed], [None], [None]), WALL, STEADY)) == []


def test_class_and_score_are_looked_for_in_each_prediction_of_the_protocol() -> None:
    protocol = OipV2(label="/y", score="/p/1")
    label, score = (Source(Place.PREDICTION, path, protocol) for path in ("/y", "/p/1"))
    outputs = [{"name": "y", "shape": [1], "data": [1]}, {"name": "p", "shape": [1, 2], "data": [0.25, 0.75]}]
    one = note({"id": "a7", "outputs": outputs})
    reader = Reader(Sources(parse_source("/id"), label, score, None), Task.CLASSIFICATION, "1")
    found = reader.read(Batch([one], [None], [read_answer(one.answer)]), WALL, STEADY)
    assert list(found) == [Prediction("a7", STEADY, "1", "1", 0.75)]
