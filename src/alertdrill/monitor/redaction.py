"""Takes fields out of what is written down, by name, at any depth, and what is nested without end."""

from collections.abc import Collection
from typing import Any

REDACTED = "[redacted]"
DEEPEST = 200  # levels of objects and lists: orjson writes 254, and each is two calls here


class Redaction:
    """Replaces the values of some keys.

    Args:
        names: of the keys, compared without regard to case.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(name.lower() for name in names)

    def __bool__(self) -> bool:
        return bool(self._names)

    def of(self, value: Any) -> Any:
        """A copy of decoded JSON: the value of every such key, and what is nested too deep, reads `REDACTED`."""
        return self._copy(value, DEEPEST)

    def _copy(self, value: Any, levels: int) -> Any:
        if not isinstance(value, dict | list):
            return value
        if not levels:
            return REDACTED
        if isinstance(value, list):
            return [self._copy(inside, levels - 1) for inside in value]
        return {k: REDACTED if k.lower() in self._names else self._copy(v, levels - 1) for k, v in value.items()}
