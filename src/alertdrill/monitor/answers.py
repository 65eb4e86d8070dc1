"""Bodies of answers to decoded JSON, or to the reason why there is none."""

import zlib
from collections.abc import Iterable, Sequence
from enum import StrEnum

import orjson

from alertdrill.monitor.together import decode_together
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES
from alertdrill.protocols.malformed import Malformed, unreadable

Headers = Iterable[tuple[bytes, bytes]]

COMPRESSED = (b"gzip", b"x-gzip", b"deflate")


class BadAnswer(StrEnum):
    """Why a prediction could not be read out of an answer. These are all the values of the label `reason`."""

    EMPTY = "empty"
    BAD_ENCODING = "bad_encoding"  # not UTF-8, or compressed in a way that cannot be read: br, zstd
    BAD_JSON = "bad_json"  # a NaN literal, too
    TOO_LARGE = "too_large"
    WRONG_BATCH = "wrong_batch"  # not as many predictions as rows were sent
    ERROR = "error"  # the status is 200, and the body says what went wrong


def read_answers(
    bodies: Sequence[bytes | BadAnswer | None], headers: Sequence[Headers]
) -> list[object | BadAnswer | None]:
    """What `read_answer` finds in each; no compressed body is JSON, so that with one of them each is read by itself."""
    texts = [body for body in bodies if type(body) is bytes]
    values = decode_together(texts)
    if values is None:
        return list(map(read_answer, bodies, headers))
    if len(texts) == len(bodies):
        return values
    each = iter(values)
    return [next(each) if type(body) is bytes else body for body in bodies]


def read_answer(body: bytes | BadAnswer | None, headers: Headers = ()) -> object | BadAnswer | None:
    """The decoded body; what is no body as it is.

    Args:
        body: of an answer.
        headers: of the answer, names in lower case: they say how it is compressed.
    """
    if not isinstance(body, bytes):
        return body
    if len(body) > LARGEST_BODY_BYTES:
        return BadAnswer.TOO_LARGE
    try:
        decoded: object = orjson.loads(body)
    except ValueError:
        return _read_compressed(body, headers) if is_compressed(body) else as_answer(unreadable(body))
    return decoded


def as_answer(body: bytes | Malformed) -> bytes | BadAnswer:
    """A body as that of an answer; what both of them can suffer has one name."""
    return BadAnswer(body.value) if isinstance(body, Malformed) else body


def is_compressed(body: bytes) -> bool:
    """Whether a body begins as gzip (RFC 1952) or zlib (RFC 1950) has it, and no JSON does."""
    return body[:1] in (b"\x1f", b"\x78")


def _read_compressed(body: bytes, headers: Headers) -> object | BadAnswer:
    if not any(name == b"content-encoding" and value.strip().lower() in COMPRESSED for name, value in headers):
        return as_answer(unreadable(body))
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = unpacker.decompress(body, LARGEST_BODY_BYTES)
    except zlib.error:
        return BadAnswer.BAD_ENCODING
    if unpacker.unconsumed_tail:
        return BadAnswer.TOO_LARGE
    return read_answer(plain) if unpacker.eof else BadAnswer.BAD_ENCODING
