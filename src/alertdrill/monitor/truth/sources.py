"""Where an exchange holds an id, a prediction or a score: a JSON pointer into a body, or a header."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

Headers = Sequence[tuple[bytes, bytes]]


class Place(StrEnum):
    """The parts of an exchange that can be read."""

    ANSWER = "answer"
    REQUEST = "request"
    ANSWER_HEADER = "answer-header"
    REQUEST_HEADER = "request-header"


class Source(NamedTuple):
    """One place in an exchange.

    Attributes:
        place: which part.
        path: keys and positions of a JSON pointer (RFC 6901), or the name of a header in lower case.
    """

    place: Place
    path: tuple[str, ...]


def parse_source(text: str) -> Source:
    """The source in `answer:/prediction_id`, `request:/rows/0/id`, `answer-header:x-id` or `request-header:x-id`.

    Raises:
        ValueError: it is anything else; the message says how to write one.
    """
    place, _, rest = text.partition(":")
    if place in (Place.ANSWER, Place.REQUEST) and rest.startswith("/"):
        return Source(Place(place), tuple(part.replace("~1", "/").replace("~0", "~") for part in rest[1:].split("/")))
    if place in (Place.ANSWER_HEADER, Place.REQUEST_HEADER) and rest.isascii() and rest.replace("-", "").isalnum():
        return Source(Place(place), (rest.lower(),))
    raise ValueError(
        f"got {text!r}, expected a JSON pointer into a body or the name of a header; "
        "fix: write answer:/prediction_id, request:/id, answer-header:x-request-id or request-header:x-request-id"
    )


class Opened(NamedTuple):
    """An exchange with its bodies decoded; None where a body was not needed or is no JSON."""

    answer: Any
    request: Any
    answer_headers: Headers
    request_headers: Headers

    def find(self, source: Source) -> Any:
        """What stands there; None if nothing does."""
        if source.place is Place.ANSWER:
            return _follow(self.answer, source.path)
        if source.place is Place.REQUEST:
            return _follow(self.request, source.path)
        headers = self.answer_headers if source.place is Place.ANSWER_HEADER else self.request_headers
        found = header(headers, source.path[0].encode())
        return None if found is None else found.decode("latin-1")


def header(headers: Headers, wanted: bytes) -> bytes | None:
    """The first header of a name in lower case."""
    for name, value in headers:
        if len(name) == len(wanted) and name.lower() == wanted:
            return value
    return None


def _follow(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
