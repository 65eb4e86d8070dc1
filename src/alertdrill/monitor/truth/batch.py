"""What is to be written in one transaction, and is kept until that succeeds or is given up."""

import time
from dataclasses import dataclass, field

from alertdrill.monitor.truth.feedback import Feedback, Refusal
from alertdrill.monitor.truth.intake import Intake
from alertdrill.monitor.truth.joining import Prediction
from alertdrill.monitor.truth.ledger import Ledger
from alertdrill.monitor.truth.reading import Unread

MOST_AT_A_TIME = 500


@dataclass
class Batch:
    """Predictions and feedback that were taken from the queues."""

    predictions: list[Prediction] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.predictions or self.feedback)

    @property
    def full(self) -> bool:
        """Whether more is likely to wait."""
        return max(len(self.predictions), len(self.feedback)) >= MOST_AT_A_TIME // 2

    def give_up(self, ledger: Ledger) -> None:
        """Count everything as lost to the store, and forget it."""
        ledger.unread[Unread.STORE_FAILED] += len(self.predictions)
        ledger.refused[Refusal.STORE_FAILED] += len(self.feedback)
        self.predictions, self.feedback = [], []


def take(intake: Intake, now: float) -> Batch:
    """The oldest of what waits.

    `now` is in seconds since 1970; what waits was timed by `time.monotonic`, which does not jump.
    """
    offset = now - time.monotonic()
    predictions = [one._replace(at=one.at + offset) for one in intake.take_seen(MOST_AT_A_TIME)]
    return Batch(predictions, intake.take_posted(MOST_AT_A_TIME))
