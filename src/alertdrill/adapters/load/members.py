"""The workers of a load as its master knows them, and what it and they hold each other to."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

from alertdrill.adapters.load.post import Inbox, Message, Outbox

TICK_S = 0.25
SILENCE_S = 2.5  # a peer that is not heard for this long is gone: a worker then sends nothing more
PREPARE_S = 60.0  # the same while workers read the plan and build their first requests
CLOCK_DOUBT_S = 0.025  # two workers change segments within twice this


@dataclass
class Member:
    """One worker.

    Attributes:
        id: Locust's name for it.
        number: its number in the load, from 0.
        host: name of its machine.
        outbox: what is sent to it.
        inbox: what comes from it.
        silent_s: for how long the master, while it ran itself, has not heard it.
        prepared: whether it can start.
        ended: whether it has sent all that it will.
        ahead_s: its machine's wall clock minus the master's.
        error_s: how far off it may be with the master's wall clock.
        worst_error_s: the same, the most during the drill.
    """

    id: str
    number: int
    host: str
    outbox: Outbox
    inbox: Inbox = field(default_factory=Inbox)
    silent_s: float = 0.0
    prepared: bool = False
    ended: bool = False
    ahead_s: float = 0.0
    error_s: float = 0.0
    worst_error_s: float = 0.0

    @property
    def name(self) -> str:
        """What to call it, counted from 1."""
        return f"worker {self.number + 1} ({self.host})"

    def read_clock(self, ahead_s: float, error_s: float) -> None:
        """Take what it says of its clock."""
        self.ahead_s, self.error_s = ahead_s, error_s
        self.worst_error_s = max(self.worst_error_s, error_s)

    def doubt(self) -> str | None:
        """What to say if it does not know the time well enough."""
        if self.error_s <= CLOCK_DOUBT_S:
            return None
        return (
            f"{self.name} knows the time here to within {self.error_s * 1e3:.0f} ms only, "
            f"expected {CLOCK_DOUBT_S * 1e3:.0f} ms; start it on a machine that is nearer, or less busy"
        )

    def clock_event(self) -> Message:
        """For the journal: how its clock stood."""
        ahead_s, error_s = round(self.ahead_s, 6), round(self.worst_error_s, 6)
        event = {"event": "worker", "worker": self.number + 1, "host": self.host}
        return {**event, "ahead_s": ahead_s, "error_s": error_s}


class Members:
    """Those that have joined, by Locust's name for them."""

    def __init__(self, of: int, send: Callable[[str, Message], None]) -> None:
        """Start with nobody.

        Args:
            of: how many are wanted.
            send: sends a message to a worker.
        """
        self.of = of
        self._send = send
        self._by_id: dict[str, Member] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, worker_id: str) -> bool:
        return worker_id in self._by_id

    @property
    def all(self) -> list[Member]:
        """In the order of their numbers."""
        return sorted(self._by_id.values(), key=lambda member: member.number)

    def get(self, worker_id: str) -> Member | None:
        """One of them."""
        return self._by_id.get(worker_id)

    def join(self, worker_id: str, host: str) -> Member:
        """One more, with the lowest number that is free."""
        number = min(set(range(self.of)) - {member.number for member in self._by_id.values()})
        self._by_id[worker_id] = Member(worker_id, number, host, self.outbox(worker_id))
        return self._by_id[worker_id]

    def leave(self, member: Member) -> None:
        """It is gone before the load began."""
        del self._by_id[member.id]

    def outbox(self, worker_id: str) -> Outbox:
        """What sends to a worker, whether it has joined or not."""
        return Outbox(functools.partial(self._send, worker_id))

    def tell(self, do: str, **content: object) -> None:
        """Send all of them the same."""
        for member in self._by_id.values():
            member.outbox.put(do, **content)

    def flush(self) -> None:
        """Wait until all of it is handed to the network."""
        for member in self._by_id.values():
            member.outbox.flush()
