"""Which drills fall to which of several machines: the same division wherever it is made."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.part import AUTO_S

COUNTED_S = 60.0
"""What a phase of `duration: auto` counts: its length is known only once rules and target are."""


@dataclass(frozen=True)
class Shard:
    """One of several shares, from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read `2/5`.

        Raises:
            BadValue: it is not a share of several.
        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise BadValue("K/N, with K from 1 to N", "write 1/4 for the first of four", text)
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def planned_s(scenario: Scenario) -> float:
    """For how long the phases of a scenario last at most, s; steady state, gates and settling come on top."""
    return sum(COUNTED_S if phase.duration == AUTO_S else phase.duration for phase in scenario.phases)


def shares(lengths_s: Sequence[float], count: int) -> tuple[tuple[int, ...], ...]:
    """Positions by share, each in exactly one and in order within it.

    The longest first, each to the share that has least so far (Graham 1969: at most 4/3 of the best that can be had).
    Which of equals comes first is settled by position and by number, so that all who divide the same list agree.
    """
    loads, found = [0.0] * count, [list[int]() for _ in range(count)]
    for position in sorted(range(len(lengths_s)), key=lambda at: (-lengths_s[at], at)):
        least = min(range(count), key=lambda share: (loads[share], len(found[share]), share))
        loads[least] += lengths_s[position]
        found[least].append(position)
    return tuple(tuple(sorted(one)) for one in found)
