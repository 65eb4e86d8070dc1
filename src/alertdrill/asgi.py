"""The types of ASGI (asgi.readthedocs.io, HTTP connection scope), a header, and a whole answer in its messages."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

_NO_BODY = (204, 304)


def header(scope: Scope, name: bytes) -> bytes | None:
    """Value of the first header of that name (lower case), or None."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


async def respond(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Send a whole answer, its length stated."""
    if status in _NO_BODY:
        body = b""
        stated: list[tuple[bytes, bytes]] = [*headers]
    else:
        stated = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": stated})
    await send({"type": "http.response.body", "body": body, "more_body": False})
