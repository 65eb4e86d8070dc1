"""Takes fields out of what is written down, by name, at any depth."""

from collections.abc import Collection
from typing import Any

REDACTED = "[redacted]"


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
        """Decoded JSON in which the value of every such key reads `REDACTED`; a copy, unless there is no such key."""
        return self._copy(value) if self._names else value

    def _copy(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: REDACTED if k.lower() in self._names else self._copy(inside) for k, inside in value.items()}
        if isinstance(value, list):
            return [self._copy(inside) for inside in value]
        return value
