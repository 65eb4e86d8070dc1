"""Values in YAML's flow style, as people write them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_NO_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}


def flow(value: Any) -> str:
    """A value: JSON, and plain where a word is a word to every reader of YAML."""
    match value:
        case str() if value and value.replace("_", "a").isalnum() and value.isascii() and value[0].isalpha():
            return value if value.lower() not in _NO_TEXT else json.dumps(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{" + ", ".join(f"{flow(str(key))}: {flow(one)}" for key, one in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(flow(one) for one in value) + "]"
    return json.dumps(value)
