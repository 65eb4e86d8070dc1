"""A server that answers every request in the same wrong way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def http(status: int, body: bytes, kind: str = "text/plain", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} x", f"content-type: {kind}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def answering(answer: bytes, *, then_hang: bool = False, drip_s: float = 0.0) -> AsyncIterator[str]:
    """Address of a server that reads a request's head, writes `answer` and closes (or stays silent, or drips)."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            pieces = [answer] if not drip_s else [answer[i : i + 1] for i in range(len(answer))]
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(drip_s)
            if then_hang:
                await asyncio.Event().wait()
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
