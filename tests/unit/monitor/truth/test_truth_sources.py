import gzip
import json

import pytest

from alertdrill.monitor.truth.joining import Prediction
from alertdrill.monitor.truth.quality import Task
from alertdrill.monitor.truth.reading import LARGEST_BODY_BYTES, Seen, Sources, Unread, _plain, read
from alertdrill.monitor.truth.sources import parse_source

ANSWER = {"prediction_id": "p1", "out": [{"label": 1, "score": 0.75}], "a/b": {"~": 3}}


def seen(answer: object = ANSWER, **headers: str) -> Seen:
    named = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return Seen(5.0, b'{"tx": 12}', body, ((b"X-Request-Id", b"r1"),), named)


def sources(identity: str = "answer:/prediction_id", version: str | None = None) -> Sources:
    return Sources(
        parse_source(identity),
        parse_source("answer:/out/0/label"),
        parse_source("answer:/out/0/score"),
        parse_source(version) if version else None,
    )


def test_a_prediction_is_read_by_pointers_and_headers() -> None:
    assert read(seen(), sources(), Task.CLASSIFICATION, "1") == Prediction("p1", 5.0, "1", "1", 0.75)
    for where, identity in (("request:/tx", "12"), ("request-header:x-request-id", "r1"), ("answer:/a~1b/~0", "3")):
        found = read(seen(), sources(where), Task.CLASSIFICATION, "1")
        assert isinstance(found, Prediction)
        assert found.id == identity
    found = read(seen(x_model="v2"), sources(version="answer-header:x-model"), Task.CLASSIFICATION, "1")
    assert isinstance(found, Prediction)
    assert found.version == "v2"


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
    assert read(seen(answer), sources(), Task.CLASSIFICATION, "1") is why


def test_a_compressed_answer_is_read_and_a_bomb_is_not() -> None:
    small, bomb = gzip.compress(json.dumps(ANSWER).encode()), gzip.compress(b'{"prediction_id": "' + b"x" * (64 << 20))
    assert isinstance(read(seen(small, content_encoding="gzip"), sources(), Task.CLASSIFICATION, "1"), Prediction)
    assert len(_plain(bomb, ((b"Content-Encoding", b"GZIP"),))) <= LARGEST_BODY_BYTES
    for broken in (bomb, small[:20], b"no gzip"):
        found = read(seen(broken, content_encoding="gzip"), sources(), Task.CLASSIFICATION, "1")
        assert found is Unread.BAD_BODY


@pytest.mark.parametrize("text", ["answer", "answer:x", "body:/x", "answer-header:", "request-header:x y", ""])
def test_a_source_that_is_none_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="fix: write answer:/prediction_id"):
        parse_source(text)
