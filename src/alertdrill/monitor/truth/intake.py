"""What waits for the store: bounded queues between the event loop, which fills them, and the keeper's thread."""

from collections import Counter, deque
from enum import StrEnum
from typing import TypeVar

from alertdrill.monitor.truth.feedback import MOST_ITEMS, Feedback, Refusal
from alertdrill.monitor.truth.joining import Prediction
from alertdrill.monitor.truth.reading import Unread

Kind = TypeVar("Kind", bound=StrEnum)

MOST_SEEN = 20_000
MOST_WAITING = 20_000
MOST_POSTED_BYTES = 8 << 20


def none_of(kinds: type[Kind]) -> Counter[Kind]:
    """A counter that holds every kind: one that grows while another thread reads it would fail that one."""
    return Counter(dict.fromkeys(kinds, 0))


class Intake:
    """Two queues. What is counted here is written by the event loop alone; what is taken, by the keeper alone.

    Attributes:
        refused: feedback that was not taken, by reason.
        unread: predictions that were not taken, by reason.
    """

    def __init__(self) -> None:
        self._seen: deque[Prediction] = deque()
        self._posted: deque[tuple[list[Feedback], int]] = deque()
        self._posted_in = self._posted_out = 0
        self._items_in = self._items_out = 0
        self.refused = none_of(Refusal)
        self.unread = none_of(Unread)

    @property
    def waiting(self) -> int:
        """Predictions and pieces of feedback that wait."""
        return len(self._seen) + self._items_in - self._items_out

    def see(self, prediction: Prediction) -> None:
        """Queue a prediction; a full queue drops it and counts that."""
        if len(self._seen) >= MOST_SEEN:
            self.unread[Unread.QUEUE_FULL] += 1
        else:
            self._seen.append(prediction)

    def room(self, size: int) -> bool:
        """Whether the feedback of a body of so many bytes could be queued."""
        enough = self._items_in - self._items_out + MOST_ITEMS <= MOST_WAITING
        return enough and self._posted_in - self._posted_out + size <= MOST_POSTED_BYTES

    def post(self, items: list[Feedback], size: int) -> None:
        """Queue the feedback of one body of `size` bytes, for which there is `room`."""
        self._items_in += len(items)
        self._posted_in += size
        self._posted.append((items, size))

    def take_seen(self, most: int) -> list[Prediction]:
        """The oldest predictions."""
        return [self._seen.popleft() for _ in range(min(most, len(self._seen)))]

    def take_posted(self, most: int) -> list[Feedback]:
        """The feedback of the oldest bodies: of one at least, then as long as it is not over `most`."""
        taken = list[Feedback]()
        while self._posted and (not taken or len(taken) + len(self._posted[0][0]) <= most):
            items, size = self._posted.popleft()
            self._items_out += len(items)
            self._posted_out += size
            taken += items
        return taken
