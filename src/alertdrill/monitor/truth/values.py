"""Ids, labels and numbers as the store keeps them, whatever their type in JSON was."""

import math

from alertdrill.protocols.figures import Task

LONGEST = 200

Label = str | float


def text_of(value: object) -> str | None:
    """An id, version or class as text: 1, 1.0 and true are "1". None for what is none, or longer than `LONGEST`."""
    if isinstance(value, str):
        return value if 0 < len(value) <= LONGEST else None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    if not isinstance(value, int | float):
        return None
    text = str(value)
    return text if 0 < len(text) <= LONGEST else None


def number_of(value: object) -> float | None:
    """A finite number; None for anything else, truth values included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def label_of(task: Task, value: object) -> Label | None:
    """A label or prediction: a number in regression, else the text of a class."""
    return number_of(value) if task is Task.REGRESSION else text_of(value)
