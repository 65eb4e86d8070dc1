"""`include` in a JSON Schema of what pydantic describes: every mapping may have it, and then needs no other key."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_FILE = {"type": "string", "minLength": 1}
_DEFINITIONS = {
    "Include": {
        "anyOf": [_FILE, {"items": _FILE, "minItems": 1, "type": "array"}],
        "description": "file, or list of files, whose keys are taken over where they are not written here; "
        "relative to this file",
        "examples": ["phase-defaults.yaml"],
    },
    "IncludedEntries": {
        "additionalProperties": False,
        "description": "The entries of a list in other files.",
        "properties": {"include": {"$ref": "#/$defs/Include"}},
        "required": ["include"],
        "type": "object",
    },
}


def with_include(schema: Schema) -> dict[str, Any]:
    """The schema with `include` in every mapping, and as an entry of every list.

    A key may come from a fragment that the mapping includes, or one around it. So what a mapping must have is asked
    of it from outside, by the nearest list or the top above it, and only along mappings that include nothing.
    """
    including = _Including(schema.get("$defs", {}))
    definitions = {name: including.loose(definition) for name, definition in schema.get("$defs", {}).items()}
    return {**including.whole(schema), "$defs": {**definitions, **_DEFINITIONS}}


class _Including:
    def __init__(self, definitions: Schema) -> None:
        self._definitions = definitions

    def whole(self, schema: Schema) -> dict[str, Any]:
        """A schema of values around which nothing can be included."""
        return {**self.loose(schema), **self._demands(schema)}

    def loose(self, schema: Schema) -> dict[str, Any]:
        """A schema that knows `include` and demands no key of a mapping, only of those in lists."""
        loose: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword in ("anyOf", "oneOf"):
                # Several kinds of mapping can be meant where the key that tells them apart is in a fragment.
                loose["anyOf"] = [self.loose(one) for one in value]
            elif keyword == "items":
                loose[keyword] = self._entry(value)
            elif keyword == "minItems":
                loose[keyword] = min(value, 1)
            elif keyword == "additionalProperties" and isinstance(value, dict):
                loose[keyword] = self.loose(value)
            elif keyword not in ("$defs", "required", "discriminator", "properties"):
                loose[keyword] = value
        if schema.get("type") == "object":
            properties = {name: self.loose(value) for name, value in schema.get("properties", {}).items()}
            loose["properties"] = {"include": {"$ref": "#/$defs/Include"}, **properties}
        return loose

    def _entry(self, schema: Schema) -> dict[str, Any]:
        if any(one.get("type") == "object" for one in self._alternatives(schema)):
            return self.whole(schema)
        return {"anyOf": [self.whole(schema), {"$ref": "#/$defs/IncludedEntries"}]}

    def _alternatives(self, schema: Schema) -> list[Schema]:
        schema = self._resolved(schema)
        several = schema.get("anyOf") or schema.get("oneOf")
        return [found for one in several for found in self._alternatives(one)] if several else [schema]

    def _resolved(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        return self._definitions[reference.rpartition("/")[2]] if reference else schema

    def _demands(self, schema: Schema) -> dict[str, Any]:
        """Which keys a mapping must have, and the mappings in it, unless it includes something."""
        found = self._resolved(schema)
        several = found.get("anyOf") or found.get("oneOf")
        if several:
            return {"anyOf": [self.whole(one) for one in several]} if any(map(self._demands, several)) else {}
        demands = {name: self._demands(value) for name, value in found.get("properties", {}).items()}
        inside = {name: value for name, value in demands.items() if value}
        asked = {"required": found.get("required"), "properties": inside}
        asked = {keyword: value for keyword, value in asked.items() if value}
        return {"if": {"required": ["include"]}, "else": asked} if asked else {}
