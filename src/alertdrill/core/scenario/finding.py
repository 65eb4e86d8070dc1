"""A mistake in a scenario before anybody knows the line that it stands on."""

import json
from typing import NamedTuple

from alertdrill.core.scenario.grammar import Path

TOP = ""
"""Stands at the begin of a path that starts from the top of the file, among paths that start from a phase's name."""

_SHOWN_CHARACTERS = 60


class Finding(NamedTuple):
    """A mistake at a path.

    Attributes:
        path: keys and list positions from the top of the file.
        expected: what can stand there.
        fix: what to write instead.
        got: what was found; None stands for the value at `path`.
        at_key: whether the key is the mistake, not its value.
        hidden: whether a secret may stand there, so that the file is not quoted.
    """

    path: Path
    expected: str
    fix: str
    got: str | None = None
    at_key: bool = False
    hidden: bool = False


def show(value: object) -> str:
    """A value as a user would write it, cut to 60 characters."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, float) and value != value:
        return ".nan"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def path_text(path: Path) -> str:
    """A path as text, such as `phases[1].faults[0].share`."""
    text = ""
    for element in path:
        if isinstance(element, int):
            text += f"[{element}]"
        elif element.replace("_", "a").replace("-", "a").isalnum():
            text += f".{element}" if text else element
        else:
            text += f"[{show(element)}]"
    return text
