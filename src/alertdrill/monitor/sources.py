"""Where an exchange holds something: a JSON pointer into the answer or the request, or a header."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from alertdrill.drift.cells import Absent
from alertdrill.monitor.notes import Headers, Note
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.pointer import finder_in_each, parts_of

Lookup = Callable[[Sequence[Note], Sequence[object]], list[Any]]
"""What stands at a source in each of some exchanges, given as notes and decoded answers; `Absent.KEY`: nothing."""


class Place(StrEnum):
    """The parts of an exchange that can be read."""

    ANSWER = "answer"
    PREDICTION = "prediction"
    REQUEST = "request"
    ANSWER_HEADER = "answer-header"
    REQUEST_HEADER = "request-header"


class Source(NamedTuple):
    """One place in an exchange.

    Attributes:
        place: which part.
        path: a JSON pointer, or the name of a header in lower case.
        protocol: that says where answers hold predictions; None: an answer is one.
    """

    place: Place
    path: str
    protocol: Protocol | None = None


def parse_source(text: str) -> Source:
    """The source in `/prediction_id`, `request:/rows/0/id`, `answer-header:x-id` or `request-header:x-id`.

    Raises:
        ValueError: it is anything else; the message says how to write one.
    """
    if text.startswith("/"):
        parts_of(text)
        return Source(Place.ANSWER, text)
    place, _, rest = text.partition(":")
    if place == Place.REQUEST and rest.startswith("/"):
        return Source(Place.REQUEST, rest)
    if place in (Place.ANSWER_HEADER, Place.REQUEST_HEADER) and rest.isascii() and rest.replace("-", "").isalnum():
        return Source(Place(place), rest.lower())
    raise ValueError(
        f"got {text!r}, expected a JSON pointer into the answer or the request, or the name of a header; "
        "fix: write /prediction_id, request:/id, answer-header:x-request-id or request-header:x-request-id"
    )


def lookup(source: Source) -> Lookup:
    """What finds it."""
    if source.place is Place.PREDICTION:
        in_predictions = (source.protocol or Json()).find_in_each(source.path, Absent.KEY)
        return lambda notes, answers: in_predictions(answers)
    if source.place is Place.ANSWER:
        in_answers = finder_in_each(source.path, Absent.KEY)
        return lambda notes, answers: in_answers(answers)
    if source.place is Place.REQUEST:
        in_requests = finder_in_each(source.path, Absent.KEY)
        return lambda notes, answers: in_requests([decoded_request(note) for note in notes])
    name = source.path.encode()
    if source.place is Place.ANSWER_HEADER:
        return lambda notes, answers: [_header(note.answer_headers, name) for note in notes]
    return lambda notes, answers: [_header(note.headers, name) for note in notes]


def decoded_request(note: Note) -> Any:
    """The body of a request; None if it is no JSON, or was not seen."""
    if type(note.body) is not bytes:
        return None
    try:
        return orjson.loads(note.body)
    except ValueError:
        return None


def _header(headers: Headers, wanted: bytes) -> object:
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return Absent.KEY
