"""What the client of one exchange sends, read ahead so that its leaving is noticed while the request is held."""

import asyncio
from collections import deque

from alertdrill.asgi import Message, Receive

READ_AHEAD_BYTES = 1 << 20


class Client:
    """Stands between a server's `receive` and the app: what was read ahead reaches the app later, in order.

    A read that is under way when the hold ends is not cancelled but handed over to the app: not every server can take
    a cancelled one back.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ahead: deque[Message] = deque()
        self._reading: asyncio.Future[Message] | None = None

    async def left(self) -> None:
        """Return once the client has left. Reads at most 1 MiB ahead; beyond that its leaving goes unnoticed."""
        size = 0
        while size <= READ_AHEAD_BYTES:
            message = await self._read()
            self._ahead.append(message)
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
        await asyncio.get_running_loop().create_future()

    async def receive(self) -> Message:
        """The next message, for the app."""
        return self._ahead.popleft() if self._ahead else await self._read()

    async def _read(self) -> Message:
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._receive())
        message = await asyncio.shield(self._reading)  # cancelled just as it is done, it keeps the message for the next
        self._reading = None
        return message

    def close(self) -> None:
        """The exchange is over."""
        if self._reading is not None:
            self._reading.cancel()
