"""Why a body holds no row."""

from enum import StrEnum

import orjson


class Malformed(StrEnum):
    """Why a body could not be read as rows. These are all the values of the label `reason`."""

    EMPTY = "empty"
    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    NO_ROWS = "no_rows"  # nothing stands where the rows should
    WRONG_BATCH = "wrong_batch"  # what stands there is no list of rows, or rows of different lengths
    INCOMPLETE = "incomplete"  # it did not come, or the app did not read it, to its end


class NoRows(ValueError):
    """A body that holds no row.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: Malformed) -> None:
        super().__init__(reason.value)
        self.reason = reason


def unreadable(body: bytes) -> Malformed:
    """Why a body is no JSON."""
    if not body.strip():
        return Malformed.EMPTY
    try:
        body.decode()
    except UnicodeDecodeError:
        return Malformed.BAD_ENCODING
    return Malformed.BAD_JSON


def encoded(value: object) -> bytes | Malformed:
    """The body of decoded JSON; what is nested deeper than orjson writes (254 levels) counts as what cannot be read."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return Malformed.BAD_JSON
