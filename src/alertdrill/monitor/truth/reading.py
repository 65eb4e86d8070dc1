"""What an exchange says of its prediction: id, class or number, score and version."""

import zlib
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from alertdrill.monitor.truth.joining import Prediction
from alertdrill.monitor.truth.quality import Task
from alertdrill.monitor.truth.sources import Headers, Opened, Place, Source, header
from alertdrill.monitor.truth.values import label_of, number_of, text_of

LARGEST_BODY_BYTES = 1 << 20
COMPRESSED = (b"gzip", b"x-gzip", b"deflate")


class Seen(NamedTuple):
    """An answered exchange, as much of it as the sources ask for.

    Attributes:
        at: when it was answered, in seconds of any clock; the prediction has it as it is.
        request: its body; empty where no source is in it.
        answer: the body of the answer; empty where no source is in it.
        request_headers: of the request; empty where no source is there.
        answer_headers: of the answer.
    """

    at: float
    request: bytes
    answer: bytes
    request_headers: Headers
    answer_headers: Headers

    @property
    def size(self) -> int:
        """Bytes that it holds, roughly."""
        headers = len(self.request_headers) + len(self.answer_headers)
        return len(self.request) + len(self.answer) + 100 * headers + 200


class Unread(StrEnum):
    """Why no label can ever be joined to an answer. Values of the label `reason`."""

    BAD_BODY = "bad_body"  # the body that holds the id is no JSON
    NO_ID = "no_id"
    QUEUE_FULL = "queue_full"
    STORE_FAILED = "store_failed"


class Sources(NamedTuple):
    """Where things stand in an exchange; None for what it does not have.

    Attributes:
        id: under which feedback comes.
        predicted: the class or number.
        score: of the positive class.
        version: of the model.
    """

    id: Source
    predicted: Source | None
    score: Source | None
    version: Source | None

    def need(self, place: Place) -> bool:
        """Whether anything stands in that part of an exchange."""
        return any(source is not None and source.place is place for source in self)


def read(seen: Seen, sources: Sources, task: Task, version: str) -> Prediction | Unread:
    """The prediction of an exchange, or why there is none to join.

    Args:
        seen: the exchange.
        sources: where things stand.
        task: says whether the prediction is a class or a number.
        version: of the model, where the exchange does not tell.
    """
    answer = _plain(seen.answer, seen.answer_headers)
    opened = Opened(_decoded(answer), _decoded(seen.request), seen.answer_headers, seen.request_headers)
    identity = text_of(opened.find(sources.id))
    if identity is None:
        bodies = {Place.ANSWER: opened.answer, Place.REQUEST: opened.request}
        return Unread.BAD_BODY if bodies.get(sources.id.place, 0) is None else Unread.NO_ID
    found = [None if source is None else opened.find(source) for source in sources[1:]]
    return Prediction(identity, seen.at, text_of(found[2]) or version, label_of(task, found[0]), number_of(found[1]))


def _plain(body: bytes, headers: Headers) -> bytes:
    """A body without its gzip or deflate encoding, as far as `LARGEST_BODY_BYTES`; empty if it is broken."""
    coding = header(headers, b"content-encoding")
    if coding is None or coding.strip().lower() not in COMPRESSED:
        return body
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, LARGEST_BODY_BYTES)
    except zlib.error:
        return b""


def _decoded(body: bytes) -> Any:
    if not body or len(body) > LARGEST_BODY_BYTES:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
