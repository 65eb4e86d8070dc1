"""What of a drill's samples is kept: the choices of `run --record`."""

from enum import StrEnum


class Kept(StrEnum):
    """Which series a recording holds, beside `ALERTS` and the scrapes themselves."""

    SCOPE = "scope"
    """What any rule in scope reads."""

    EXPECTED = "expected"
    """What the rules of expected and prohibited alerts read."""

    NONE = "none"
    """Nothing: there is no recording, and the verdicts drawn at the end of the drill are all there is."""
