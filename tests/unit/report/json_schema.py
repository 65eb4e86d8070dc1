"""Whether a value is valid under a JSON Schema (2020-12), as far as the schema of scenarios uses it."""

import re
from typing import Any

Schema = dict[str, Any]

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "null": type(None),
    "boolean": bool,
    "number": int | float,
    "integer": int,
}
SAID = {"$schema", "$id", "$defs", "title", "description", "default", "examples", "if", "then", "else"}


def is_valid(value: Any, schema: Schema, top: Schema | None = None) -> bool:
    """Whether the value is valid; a keyword that is not known here is a KeyError."""
    top = schema if top is None else top
    branch = schema.get("then" if is_valid(value, schema["if"], top) else "else", {}) if "if" in schema else {}
    checks = (_holds(value, keyword, schema, top) for keyword in schema if keyword not in SAID)
    return all(checks) and (not branch or is_valid(value, branch, top))


def _holds(value: Any, keyword: str, schema: Schema, top: Schema) -> bool:
    asked = schema[keyword]
    if keyword == "$ref":
        return is_valid(value, top["$defs"][asked.rpartition("/")[2]], top)
    if keyword == "anyOf":
        return any(is_valid(value, one, top) for one in asked)
    if keyword == "oneOf":
        return sum(is_valid(value, one, top) for one in asked) == 1
    if keyword == "type":
        return isinstance(value, TYPES[asked]) and (asked == "boolean" or not isinstance(value, bool))
    if keyword == "const":
        return type(value) is type(asked) and value == asked
    if keyword == "enum":
        return any(type(value) is type(one) and value == one for one in asked)
    if isinstance(value, dict) and keyword in _MAPPINGS:
        return _MAPPINGS[keyword](value, asked, schema, top)
    if isinstance(value, list) and keyword in _LISTS:
        return _LISTS[keyword](value, asked, top)
    if isinstance(value, str) and keyword in _TEXTS:
        return _TEXTS[keyword](value, asked)
    if isinstance(value, int | float) and not isinstance(value, bool) and keyword in _NUMBERS:
        return _NUMBERS[keyword](value, asked)
    if keyword in {*_MAPPINGS, *_LISTS, *_TEXTS, *_NUMBERS}:
        return True
    raise KeyError(keyword)


def _additional(value: Any, asked: Any, schema: Schema, top: Schema) -> bool:
    others = [one for name, one in value.items() if name not in schema.get("properties", {})]
    return all(is_valid(one, asked, top) for one in others) if isinstance(asked, dict) else asked or not others


_MAPPINGS: dict[str, Any] = {
    "properties": lambda value, asked, schema, top: all(
        is_valid(value[name], one, top) for name, one in asked.items() if name in value
    ),
    "required": lambda value, asked, schema, top: all(name in value for name in asked),
    "additionalProperties": _additional,
}
_LISTS: dict[str, Any] = {
    "items": lambda value, asked, top: all(is_valid(one, asked, top) for one in value),
    "minItems": lambda value, asked, top: len(value) >= asked,
    "maxItems": lambda value, asked, top: len(value) <= asked,
}
_TEXTS: dict[str, Any] = {
    "pattern": lambda value, asked: re.search(asked, value) is not None,
    "minLength": lambda value, asked: len(value) >= asked,
    "maxLength": lambda value, asked: len(value) <= asked,
}
_NUMBERS: dict[str, Any] = {
    "minimum": lambda value, asked: value >= asked,
    "maximum": lambda value, asked: value <= asked,
    "exclusiveMinimum": lambda value, asked: value > asked,
    "exclusiveMaximum": lambda value, asked: value < asked,
}
