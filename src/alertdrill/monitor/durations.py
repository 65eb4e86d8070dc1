"""Durations as options have them: `30s`, `5m`, `1h`, `7d`, `2w`."""

import re

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
LONGEST_S = 10 * 366 * 86_400.0


def seconds(text: str) -> float:
    """The seconds of a duration, more than 0 and at most ten years.

    Raises:
        ValueError: it is none; the message says how to write one.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)", text.strip())
    value = float(found[1]) * UNITS_S[found[2]] if found else 0.0
    if not 0.0 < value <= LONGEST_S:
        raise ValueError(f"got {text!r}, expected a duration over 0 and up to ten years; fix: write 30s, 1h, 7d or 2w")
    return value
