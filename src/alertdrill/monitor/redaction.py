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
        """A copy of decoded JSON in which the value of every such key reads `REDACTED`."""
        if isinstance(value, dict):
            return {k: REDACTED if k.lower() in self._names else self.of(inside) for k, inside in value.items()}
        if isinstance(value, list):
            return [self.of(inside) for inside in value]
        return value
