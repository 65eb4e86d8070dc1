"""Stands between two processes that talk HTTP, and passes requests on until it is told to do otherwise."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.integration.prometheus.wrong_servers import http


@dataclass(frozen=True)
class Answer:
    """What came back from behind."""

    status: int
    body: bytes
    kind: str = "application/json"

    def raw(self) -> bytes:
        """As it goes over the wire."""
        return http(self.status, self.body, self.kind)


Behind = Callable[[str], Awaitable[Answer]]
"""Passes a request (path and query) on."""

Act = Callable[[str, Behind], Awaitable[bytes]]
"""What is answered to a request; nothing: the connection is closed."""


async def pass_on(target: str, behind: Behind) -> bytes:
    return (await behind(target)).raw()


async def cut(target: str, behind: Behind) -> bytes:
    return b""


class Between:
    """Where it answers, what it does with requests, and when it was asked what; `act` may be changed at any time."""

    def __init__(self, upstream: str, act: Act = pass_on) -> None:
        self.url, self.act = "", act
        self.asked: list[tuple[float, str]] = []
        self._upstream = upstream
        self._client = httpx.AsyncClient(trust_env=False, timeout=20.0)

    async def _behind(self, target: str) -> Answer:
        answer = await self._client.get(self._upstream + target)
        return Answer(answer.status_code, answer.content, answer.headers.get("content-type", "text/plain"))

    async def now(self, target: str) -> bytes:
        """What it would answer."""
        return await self.act(target, self._behind)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            self.asked.append((time.time(), target))
            writer.write(await self.now(target))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, httpx.HTTPError):
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        """Close the connections behind."""
        await self._client.aclose()


@asynccontextmanager
async def between(upstream: str, act: Act = pass_on) -> AsyncIterator[Between]:
    """One that runs."""
    found, tasks = Between(upstream, act), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await found.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await found.close()
