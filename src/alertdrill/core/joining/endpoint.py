"""What is known of an endpoint before it was ever asked for a prediction."""

from dataclasses import dataclass

from alertdrill.protocols.base import Protocol
from alertdrill.protocols.features import FeatureKind


class NotUnderstood(ValueError):
    """A document about a model says nothing that a drill can use.

    Attributes:
        got: what was found.
        expected: what could be used.
        fix: what to write by hand.
    """

    def __init__(self, got: str, expected: str, fix: str) -> None:
        super().__init__(f"got {got}, expected {expected}")
        self.got, self.expected, self.fix = got, expected, fix


@dataclass(frozen=True)
class Field:
    """One input, as a document describes it.

    Attributes:
        name: as requests write it.
        kind: how its values are written.
        required: whether requests must have it.
        watched: whether drift of it can mean anything.
        boolean: whether it is true or false, written as 1 or 0.
    """

    name: str
    kind: FeatureKind
    required: bool = True
    watched: bool = True
    boolean: bool = False


@dataclass(frozen=True)
class Skipped:
    """An input that a row cannot carry, as rows hold numbers, texts and times; `required` if requests must have it."""

    name: str
    what: str
    required: bool


@dataclass(frozen=True)
class Endpoint:
    """One endpoint that predicts.

    Attributes:
        source: the document that says so.
        path: of the endpoint, from the root of the server.
        protocol: how requests are written, and answers as far as the document says.
        fields: the inputs in order; None where the document does not name them.
        skipped: inputs that are left out.
        width: how many inputs there are, where only that is known.
        answers_known: whether `protocol` says where class and score stand in an answer.
        headers: names of headers that requests must have.
        notes: what was taken for granted.
    """

    source: str
    path: str
    protocol: Protocol
    fields: tuple[Field, ...] | None = None
    skipped: tuple[Skipped, ...] = ()
    width: int | None = None
    answers_known: bool = True
    headers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
