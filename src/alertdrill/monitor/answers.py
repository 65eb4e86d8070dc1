"""Bodies of answers to decoded JSON, or to the reason why there is none."""

from collections.abc import Sequence
from enum import StrEnum

import orjson

from alertdrill.monitor.bodies import Malformed, unreadable
from alertdrill.monitor.together import decode_together
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES


class BadAnswer(StrEnum):
    """Why a prediction could not be read out of an answer. These are all the values of the label `reason`."""

    EMPTY = "empty"
    BAD_ENCODING = "bad_encoding"  # not UTF-8, compressed answers among them
    BAD_JSON = "bad_json"  # a NaN literal, too
    TOO_LARGE = "too_large"
    WRONG_BATCH = "wrong_batch"  # not as many predictions as rows were sent


def read_answers(bodies: Sequence[bytes | BadAnswer | None]) -> list[object | BadAnswer | None]:
    """What `read_answer` finds in each."""
    texts = [body for body in bodies if type(body) is bytes]
    values = decode_together(texts)
    if values is None:
        return list(map(read_answer, bodies))
    if len(texts) == len(bodies):
        return values
    each = iter(values)
    return [next(each) if type(body) is bytes else body for body in bodies]


def read_answer(body: bytes | BadAnswer | None) -> object | BadAnswer | None:
    """The decoded body; what is no body as it is."""
    if not isinstance(body, bytes):
        return body
    if len(body) > LARGEST_BODY_BYTES:
        return BadAnswer.TOO_LARGE
    try:
        decoded: object = orjson.loads(body)
    except ValueError:
        return _REASONS[unreadable(body)]
    return decoded


_REASONS = {
    Malformed.EMPTY: BadAnswer.EMPTY,
    Malformed.BAD_ENCODING: BadAnswer.BAD_ENCODING,
    Malformed.BAD_JSON: BadAnswer.BAD_JSON,
}
