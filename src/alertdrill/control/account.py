"""The account of what was touched and seen, kept until the controller says that it has it."""

from collections.abc import Callable

from alertdrill.core.exchange_account import Event, ExchangeAccount


class Account(ExchangeAccount):
    """An account whose events are given again until they are acknowledged.

    Attributes:
        on_new: told once of all events, before anybody is given them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Event] = []
        self._taken = 0
        self.on_new: Callable[[list[Event]], None] = lambda _: None

    def events(self, after: int) -> tuple[int, list[Event]]:
        """The events after number `after`, and the number of the last; those before it are forgotten.

        An answer that was lost on its way is given again: the controller asks with the last number that it got.
        """
        self.gather()
        known = min(max(after - self._taken, 0), len(self._kept))
        del self._kept[:known]
        self._taken += known
        return self._taken + len(self._kept), list(self._kept)

    def gather(self) -> None:
        """Make events of what was touched and seen since the last time."""
        new = self.take()
        if new:
            self._kept += new
            self.on_new(new)
