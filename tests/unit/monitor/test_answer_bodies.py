import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from alertdrill.monitor.answers import BadAnswer, is_compressed, read_answer

ANSWER = {"score": 0.5}
PLAIN = json.dumps(ANSWER).encode()
GZIP = ((b"content-type", b"application/json"), (b"content-encoding", b"GZIP"))


@pytest.mark.parametrize(("packed", "coding"), [(gzip.compress, b"gzip"), (zlib.compress, b"deflate")])
def test_a_compressed_answer_is_read(packed: Callable[[bytes], bytes], coding: bytes) -> None:
    body = packed(PLAIN)
    assert is_compressed(body)
    assert not is_compressed(PLAIN)
    assert read_answer(body, ((b"content-encoding", coding),)) == ANSWER
    assert read_answer(body) is BadAnswer.BAD_ENCODING


def test_a_bomb_is_too_large_and_what_is_broken_has_a_bad_encoding() -> None:
    bomb = gzip.compress(b'{"score": "' + b"x" * (64 << 20), 1)
    assert read_answer(bomb, GZIP) is BadAnswer.TOO_LARGE
    whole = gzip.compress(PLAIN)
    for broken in (whole[:20], whole[:10] + b"\xff" * 20):
        assert read_answer(broken, GZIP) is BadAnswer.BAD_ENCODING
    assert read_answer(gzip.compress(b"<html>"), GZIP) is BadAnswer.BAD_JSON
    assert read_answer(gzip.compress(gzip.compress(PLAIN)), GZIP) is BadAnswer.BAD_ENCODING
