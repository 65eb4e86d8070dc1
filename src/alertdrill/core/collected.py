"""Every mistake of a command's arguments at once."""

from collections.abc import Callable
from typing import TypeVar

from alertdrill.core.errors import BadInput, Mistake

Value = TypeVar("Value")


def collected(mistakes: list[Mistake], read: Callable[[], Value]) -> Value | None:
    """What `read` gives; or None, its mistakes added to `mistakes`."""
    try:
        return read()
    except BadInput as error:
        mistakes += error.mistakes
        return None
