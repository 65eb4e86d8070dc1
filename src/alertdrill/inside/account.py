"""The account of what an app's middleware touched and saw, kept until the controller says that it has it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass
class _Touched:
    """Exchanges that one injection touched in one segment: parallel lists, wall clock in seconds since the epoch."""

    i: list[int] = field(default_factory=list)
    effect_at: list[float | None] = field(default_factory=list)
    released: list[float | None] = field(default_factory=list)
    ended: list[float | None] = field(default_factory=list)
    code: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    """How a touched exchange went; instants are wall clock in seconds.

    Attributes:
        effect_at: when the effect first became real; None if it never did.
        released: when the request went on to the app; None if it never did.
        ended: when the whole answer was handed to the server; None if there was none.
        code: status of the answer, 0 if there was none.
    """

    effect_at: float | None
    released: float | None
    ended: float | None
    code: int


class Account:
    """Counts, and hands over as the events of a fault proxy: `touched` and `seen`."""

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()
        self._touched: dict[tuple[str, int], _Touched] = {}
        self._kept: list[Event] = []
        self._taken = 0

    def saw(self, k: int) -> None:
        """A request of the drill, touched or not."""
        self._seen[k] += 1

    def touched(self, injection: str, k: int, i: int, ended: Ended) -> None:
        """An exchange that an injection touched is over."""
        lists = self._touched.setdefault((injection, k), _Touched())
        lists.i.append(i)
        lists.effect_at.append(ended.effect_at)
        lists.released.append(ended.released)
        lists.ended.append(ended.ended)
        lists.code.append(ended.code)

    def events(self, after: int) -> tuple[int, list[Event]]:
        """The events after number `after`, and the number of the last; those before it are forgotten.

        An answer that was lost on its way is given again: the controller asks with the last number that it got.
        """
        touched, self._touched = self._touched, {}
        seen, self._seen = self._seen, Counter()
        self._kept += [{"event": "touched", "injection": id_, "k": k, **vars(one)} for (id_, k), one in touched.items()]
        self._kept += [{"event": "seen", "k": k, "requests": requests} for k, requests in seen.items()]
        known = min(max(after - self._taken, 0), len(self._kept))
        del self._kept[:known]
        self._taken += known
        return self._taken + len(self._kept), list(self._kept)
