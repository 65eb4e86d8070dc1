"""JSON pointers (RFC 6901) with one addition: the part `*` stands for every element of a list."""

from collections.abc import Callable, Sequence
from typing import Any

EVERY = "*"


class Nowhere(LookupError):
    """Nothing stands where a pointer points; a null is something."""


def parts_of(pointer: str) -> tuple[str, ...]:
    """The parts of a pointer; "" points to the whole.

    Raises:
        ValueError: it is neither empty nor begins with a slash.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"got {pointer!r}, expected a JSON pointer; fix: write {'/' + pointer!r}")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def finder(pointer: str) -> Callable[[Any], Any]:
    """What finds the value at a pointer in decoded JSON, a list of values where the pointer holds `*`.

    What it returns raises Nowhere if nothing stands there.

    Raises:
        ValueError: it is no pointer.
    """
    parts = parts_of(pointer)
    if len(parts) == 1 and parts[0] != EVERY:
        return _one_key(parts[0])
    return lambda value: _find(value, parts)


def finder_in_each(pointer: str, otherwise: object) -> Callable[[Sequence[Any]], list[Any]]:
    """What finds the same in each of many, and `otherwise` where nothing stands.

    Raises:
        ValueError: it is no pointer.
    """
    parts = parts_of(pointer)
    find = finder(pointer)

    def find_one(value: Any) -> Any:
        try:
            return find(value)
        except Nowhere:
            return otherwise

    if len(parts) != 1 or parts[0] == EVERY:
        return lambda values: list(map(find_one, values))
    name = parts[0]
    return lambda values: [v.get(name, otherwise) if type(v) is dict else find_one(v) for v in values]


def _one_key(name: str) -> Callable[[Any], Any]:
    def find(value: Any) -> Any:
        if type(value) is dict and name in value:
            return value[name]
        return _find(value, (name,))

    return find


def _find(value: Any, parts: tuple[str, ...]) -> Any:
    for at, part in enumerate(parts):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part == EVERY:
            return [_find(one, parts[at + 1 :]) for one in value]
        elif isinstance(value, list) and part.isdecimal() and part.isascii() and int(part[:9]) < len(value):
            value = value[int(part)]
        else:
            raise Nowhere(part)
    return value
