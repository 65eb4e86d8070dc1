"""JSON Schemas of OpenAPI documents: references resolved, nullable and single alternatives unwrapped."""

from collections.abc import Mapping, Sequence
from typing import Any

from alertdrill.core.joining.endpoint import Field, Skipped
from alertdrill.protocols.features import FeatureKind

MAX_CHAIN = 16
NUMBERS = 2
Node = Mapping[str, Any]
_KINDS = {
    "number": FeatureKind.NUMBER,
    "integer": FeatureKind.INTEGER,
    "boolean": FeatureKind.INTEGER,
    "string": FeatureKind.CATEGORY,
}
_NO_TEXT = {"date", "time", "duration", "uuid", "binary", "byte", "email", "uri"}


class Schemas:
    """The schemas of one document."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def resolved(self, found: Any, links: int = MAX_CHAIN) -> Node:
        """A schema with its references followed; `null` among its alternatives, and a list of one, left out.

        What is no schema, or refers to itself, is the empty schema, which allows everything; so is what lies behind
        more than `links` references, or half as many for each alternative on the way.
        """
        for _ in range(links):
            if not isinstance(found, dict):
                return {}
            if isinstance(found.get("$ref"), str):
                found = self._at(found["$ref"])
                continue
            inner = self._only(found, links // 2)
            if inner is None:
                return _without_null(found)
            found = inner
        return {}

    def _at(self, reference: str) -> Any:
        """What a reference inside the document leads to; None: nothing."""
        if not reference.startswith("#/"):
            return None
        found = self._document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def _only(self, found: Node, links: int) -> Any:
        """The one alternative of `anyOf`, `oneOf` or `allOf` that is not null; None where it has several, or none."""
        for key in ("allOf", "anyOf", "oneOf"):
            among = found.get(key)
            if isinstance(among, list):
                left = [one for one in among if not (isinstance(one, dict) and one.get("type") == "null")]
                if len(left) == 1:
                    return left[0]
                if len(left) == NUMBERS and self._kinds(left, links) == {"integer", "number"}:
                    return {"type": "number"}
        return None

    def _kinds(self, among: Sequence[Any], links: int) -> set[str]:
        return {str(self.resolved(one, links).get("type")) for one in among}

    def properties(self, node: Node) -> dict[str, Node]:
        """The properties of an object, resolved."""
        found = node.get("properties")
        return {name: self.resolved(one) for name, one in found.items()} if isinstance(found, dict) else {}

    def items(self, node: Node) -> Node | None:
        """The elements of a list, resolved; None for what is no list."""
        return self.resolved(node.get("items")) if node.get("type") == "array" else None

    def fields(self, node: Node) -> tuple[tuple[Field, ...], tuple[Skipped, ...]]:
        """The properties of an object that a row can carry, and those that it cannot."""
        required = names_required(node)
        fields, skipped = [], []
        for name, one in self.properties(node).items():
            field = field_of(name, one, name in required)
            if field is not None:
                fields.append(field)
            else:
                skipped.append(Skipped(name, in_words(one), name in required))
        return tuple(fields), tuple(skipped)


def _without_null(node: Node) -> Node:
    """`type: [number, null]` as `type: number`."""
    types = node.get("type")
    if not isinstance(types, list):
        return node
    left = [one for one in types if one != "null"]
    return {**node, "type": left[0] if len(left) == 1 else left}


def names_required(node: Node) -> frozenset[str]:
    """The properties that an object must have."""
    found = node.get("required")
    return frozenset(one for one in found if isinstance(one, str)) if isinstance(found, list) else frozenset()


def type_of(node: Node) -> str | None:
    """The type of a resolved schema; of an enumeration that of its values."""
    found = node.get("type")
    if isinstance(found, str):
        return found
    values = node.get("enum", [node["const"]] if "const" in node else None)
    if isinstance(values, list) and values and found is None:
        return "string" if all(isinstance(one, str) for one in values) else "integer"
    return None


def field_of(name: str, node: Node, required: bool) -> Field | None:
    """A property as an input; None where it is no plain value."""
    of = type_of(node)
    kind = _KINDS.get(of or "")
    if kind is None:
        return None
    form = str(node.get("format"))
    if of == "string" and form == "date-time":
        return Field(name, FeatureKind.TIMESTAMP, required, watched=False)
    return Field(name, kind, required, watched=form not in _NO_TEXT, boolean=of == "boolean")


def in_words(node: Node) -> str:
    """What a property is that a row cannot carry."""
    of = type_of(node)
    if of == "array":
        return "a list"
    return "an object" if of == "object" or "properties" in node else "of no single type"
