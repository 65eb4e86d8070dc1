"""What can become of one expectation, or of one false alarm, when rules change."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one expectation, or of one false alarm."""

    LOST = "lost"
    SLOWER = "slower"
    GAINED = "gained"
    NEW_FALSE_ALARM = "new_false_alarm"
    UNDECIDED = "undecided"
    FALSE_ALARM_GONE = "false_alarm_gone"
    KEPT = "kept"
