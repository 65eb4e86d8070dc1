"""Messages between master and worker over Locust's: in order, none missing, sent without ever waiting in the hub."""

from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import Queue

MESSAGE = "alertdrill"
"""The one type of our messages among Locust's; `do` says what each is about."""

Message = Mapping[str, Any]


class Lost(Exception):
    """A message never came."""


class Outbox:
    """Sends messages to one peer from a greenlet of its own: who puts one may be a callback of the hub."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._waiting: Queue[tuple[Message, Event | None]] = Queue()
        self._count = 0
        self._greenlet = gevent.spawn(self._deliver)

    def put(self, do: str, **content: Any) -> None:
        """Send a message."""
        self._waiting.put(({"do": do, "n": self._count, **content}, None))
        self._count += 1

    def flush(self, timeout_s: float = 0.5) -> None:
        """Wait until what was put so far is handed to the network, for at most `timeout_s` seconds."""
        handed_over = Event()
        self._waiting.put(({}, handed_over))
        handed_over.wait(timeout_s)

    def _deliver(self) -> None:
        while True:
            message, marker = self._waiting.get()
            if marker is None:
                self._send(message)
            else:
                marker.set()


class Inbox:
    """Sees that no message of one peer is missing."""

    def __init__(self) -> None:
        self._count = 0

    def check(self, message: Message) -> None:
        """Take the number of a message that came.

        Raises:
            Lost: one before it did not.
        """
        if message["n"] != self._count:
            raise Lost(f"got message {message['n']}, expected message {self._count}: the network lost what was between")
        self._count += 1
