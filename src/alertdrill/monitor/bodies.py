"""Request bodies to rows, or to the reason why a body holds none."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import orjson

from alertdrill.protocols import json_rows


class Malformed(StrEnum):
    """Why a body could not be read as a row. These are all the values of the label `reason`."""

    EMPTY = "empty"
    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"


def read(body: bytes) -> Mapping[str, Any] | Malformed:
    """The row of a request body. One over `LARGEST_BODY_BYTES` is not parsed: that would hold up other answers."""
    if len(body) > json_rows.LARGEST_BODY_BYTES:
        return Malformed.TOO_LARGE
    try:
        return json_rows.decode(body)
    except ValueError:
        return _reason(body)


def _reason(body: bytes) -> Malformed:
    if not body.strip():
        return Malformed.EMPTY
    try:
        body.decode()
    except UnicodeDecodeError:
        return Malformed.BAD_ENCODING
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return Malformed.BAD_JSON
    return Malformed.NOT_AN_OBJECT
