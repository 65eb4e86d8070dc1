"""The account of what an app's middleware touched and saw, kept until the controller says that it has it."""

from alertdrill.core.exchange_account import Event, ExchangeAccount


class Account(ExchangeAccount):
    """An account whose events are given again until they are acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Event] = []
        self._taken = 0

    def events(self, after: int) -> tuple[int, list[Event]]:
        """The events after number `after`, and the number of the last; those before it are forgotten.

        An answer that was lost on its way is given again: the controller asks with the last number that it got.
        """
        self._kept += self.take()
        known = min(max(after - self._taken, 0), len(self._kept))
        del self._kept[:known]
        self._taken += known
        return self._taken + len(self._kept), list(self._kept)
