"""Validates a request body against the target's schema, and names every mistake."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from model import Row

from alertdrill.protocols.schema import Feature, FeatureKind, Schema

REASONS = ("malformed_json", "not_an_object", "missing", "null", "wrong_type")
IDENTIFIERS = frozenset({"transaction_id", "card_id"})  # nothing can be imputed for them
EXPECTED = {
    FeatureKind.NUMBER: "a number or null",
    FeatureKind.INTEGER: "a whole number or null",
    FeatureKind.CATEGORY: "a string or null",
}


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a request.

    Attributes:
        field: name of the feature; None when the body as a whole is wrong.
        reason: one of REASONS.
        message: what was got and what was expected.
    """

    field: str | None
    reason: str
    message: str


class InvalidInput(Exception):
    """The body does not hold a transaction; `mistakes` says why, all of them at once."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(mistake.message for mistake in mistakes))
        self.mistakes = mistakes

    def to_json(self) -> bytes:
        """The body of the 422 answer."""
        return orjson.dumps({"error": "invalid input", "details": [asdict(mistake) for mistake in self.mistakes]})


def _fits(value: Any, kind: FeatureKind) -> bool:
    if kind is FeatureKind.CATEGORY:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return kind is FeatureKind.NUMBER or value == int(value)


def _mistake(feature: Feature, value: Any) -> Mistake | None:
    if value is None:
        if feature.name not in IDENTIFIERS:
            return None
        return Mistake(feature.name, "null", "got null, expected a string")
    if _fits(value, feature.kind):
        return None
    got = f"{type(value).__name__} {value!r:.40}"
    expected = "a string" if feature.name in IDENTIFIERS else EXPECTED[feature.kind]
    return Mistake(feature.name, "wrong_type", f"got {got}, expected {expected}")


def _mistakes(value: dict[str, Any], schema: Schema) -> Iterator[Mistake]:
    for feature in schema.features:
        if feature.name not in value:
            yield Mistake(feature.name, "missing", f"got no such key, expected {EXPECTED[feature.kind]}")
        elif (mistake := _mistake(feature, value[feature.name])) is not None:
            yield mistake


def check(body: bytes, schema: Schema) -> Row:
    """The transaction that `body` holds. Extra keys are let through; so is a category that was never seen.

    Raises:
        InvalidInput: malformed JSON (a NaN literal is), no object, or a key that is missing or of the wrong type.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(Mistake(None, "malformed_json", str(error))) from error
    if not isinstance(value, dict):
        raise InvalidInput(Mistake(None, "not_an_object", f"got {type(value).__name__}, expected an object"))
    mistakes = tuple(_mistakes(value, schema))
    if mistakes:
        raise InvalidInput(*mistakes)
    return value
