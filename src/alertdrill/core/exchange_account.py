"""The account of exchanges that injections touched, as the events that a controller reads."""

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
    """How a touched exchange went; instants are wall clock in seconds since the epoch.

    Attributes:
        effect_at: when the effect first became real; None if it never did.
        released: when the request went on; None if it never did.
        ended: when the whole answer was out; None if there was none.
        code: status of the answer, 0 if there was none.
    """

    effect_at: float | None
    released: float | None
    ended: float | None
    code: int


class ExchangeAccount:
    """Counts the exchanges of a drill, and hands them over as events: `touched` and `seen`."""

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()
        self._touched: dict[tuple[str, int], _Touched] = {}

    def saw(self, k: int) -> None:
        """A request of segment `k`, touched or not."""
        self._seen[k] += 1

    def touched(self, injection: str, k: int, i: int, ended: Ended) -> None:
        """The exchange of request `k.i`, which an injection touched, is over."""
        lists = self._touched.setdefault((injection, k), _Touched())
        lists.i.append(i)
        lists.effect_at.append(ended.effect_at)
        lists.released.append(ended.released)
        lists.ended.append(ended.ended)
        lists.code.append(ended.code)

    def take(self) -> list[Event]:
        """The events since the last call."""
        touched, self._touched = self._touched, {}
        seen, self._seen = self._seen, Counter()
        return [
            *[{"event": "touched", "injection": name, "k": k, **vars(one)} for (name, k), one in touched.items()],
            *[{"event": "seen", "k": k, "requests": requests} for k, requests in seen.items()],
        ]
