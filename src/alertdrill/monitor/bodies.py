"""Request bodies to rows, or to the reason why a body holds none."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import orjson

from alertdrill.monitor.pointer import Nowhere, finder
from alertdrill.monitor.tensors import NotTensors, are_tensors, rows_of
from alertdrill.monitor.together import decode_together
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES

Row = Mapping[str, Any]


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


class Bodies:
    """Reads bodies.

    Args:
        names: of the features, in the order in which rows without names hold them.
        pointer: where in a body its rows are: an object with features as keys, a list of such objects, a list of lists
            of values in the order of `names`, or tensors of the Open Inference Protocol.

    Raises:
        ValueError: that is no pointer.
    """

    def __init__(self, names: Sequence[str] = (), pointer: str = "") -> None:
        self._names = tuple(names)
        self._whole = not pointer
        self._find: Callable[[Any], Any] = finder(pointer)

    def read_all(self, bodies: Sequence[bytes | Malformed | None]) -> list[Sequence[Row] | Malformed | None]:
        """What `read` finds in each body; what is none, as it is."""
        texts = [body for body in bodies if type(body) is bytes]
        values = decode_together(texts)
        if values is None:
            return [body if body is None or isinstance(body, Malformed) else self.read(body) for body in bodies]
        found: list[Sequence[Row] | Malformed | None]
        if self._whole and set(map(type, values)) == {dict}:
            found = list(zip(values, strict=True))
        else:
            found = list(map(self._rows_in, values))
        if len(texts) < len(bodies):
            each = iter(found)
            found = [next(each) if type(body) is bytes else body for body in bodies]  # type: ignore[misc]
        return found

    def read(self, body: bytes) -> Sequence[Row] | Malformed:
        """The rows. A body over `LARGEST_BODY_BYTES` is not parsed: that would hold up other answers."""
        if len(body) > LARGEST_BODY_BYTES:
            return Malformed.TOO_LARGE
        try:
            value = orjson.loads(body)
        except ValueError:
            return unreadable(body)
        return self._rows_in(value)

    def _rows_in(self, value: Any) -> Sequence[Row] | Malformed:
        if self._whole:
            return (value,) if type(value) is dict else Malformed.NOT_AN_OBJECT
        try:
            return self._rows(self._find(value))
        except Nowhere:
            return Malformed.NO_ROWS

    def _rows(self, found: object) -> Sequence[Row] | Malformed:
        if isinstance(found, dict):
            return (found,)
        if not isinstance(found, list) or not found:
            return Malformed.WRONG_BATCH
        if are_tensors(found):
            try:
                return rows_of(found, self._names)
            except NotTensors:
                return Malformed.WRONG_BATCH
        if all(isinstance(one, dict) for one in found):
            return found
        if all(isinstance(one, list) and len(one) == len(self._names) for one in found):
            return [dict(zip(self._names, one, strict=True)) for one in found]
        return Malformed.WRONG_BATCH


def encoded(value: object) -> bytes | Malformed:
    """The body of decoded JSON; what is nested deeper than orjson writes (254 levels) counts as what cannot be read."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return Malformed.BAD_JSON


def unreadable(body: bytes) -> Malformed:
    """Why a body is no JSON."""
    if not body.strip():
        return Malformed.EMPTY
    try:
        body.decode()
    except UnicodeDecodeError:
        return Malformed.BAD_ENCODING
    return Malformed.BAD_JSON
