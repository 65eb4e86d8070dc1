"""What a replay needs of an engine: it stores samples, evaluates expressions, and expands templates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import LabelKey

T = TypeVar("T")


class Refused(Exception):
    """The engine could not evaluate an expression; the text is what it says."""


class Unreadable(Refused):
    """An expression is not one of the engine's language."""


class ReplayEngine(Protocol):
    """A throw-away engine without scrapes and rules. Where it does not answer at all, it raises AlertdrillError."""

    def write(self, series: Sequence[RawSeries]) -> None:
        """Store samples, staleness markers included; of each series only later ones than it has."""
        ...

    def at(self, query: str, time_ms: int) -> list[RawSeries]:
        """What an expression returns at an instant, a sample each.

        Raises:
            Refused: it cannot be evaluated there.
        """
        ...

    def over(self, query: str, first_ms: int, last_ms: int, step_ms: int) -> list[RawSeries]:
        """What an expression returns at every `step_ms` from the first to the last instant.

        Raises:
            Refused: it cannot be evaluated at all of them together.
        """
        ...

    def expand(self, labels: Mapping[str, str], samples: Sequence[tuple[LabelKey, float]]) -> list[dict[str, str]]:
        """The templates of a rule's labels for samples that it returned, one mapping for each."""
        ...

    def together(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """What tasks that do not depend on one another return; each asks and writes by itself."""
        ...
