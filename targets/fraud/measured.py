"""Measures predictions from outside the app that makes them: what happens inside, faults of a drill too, counts."""

import time

import server_metrics as metrics
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAILED = 500  # what the server answers for an app that raises


class Measured:
    """Counts the POSTs to one path by their code, and times them from their headers to the end of their answer."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST":
            await self._measure(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _measure(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, code = time.perf_counter(), FAILED

        async def noted(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            metrics.REQUESTS.labels(str(code)).inc()
            metrics.DURATION.observe(time.perf_counter() - started)
