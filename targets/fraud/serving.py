"""Serves an ASGI app under alertdrill's lifeline: tells its port once it answers, and ends soon after SIGTERM."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from alertdrill.lifeline import emit

SHUTDOWN_S = 0.5  # for requests in flight after SIGTERM; a client that waits longer is cut off
READY_PATH = "/health"


async def _health(request: Request) -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json")


async def _metrics(request: Request) -> Response:
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


def admin_routes() -> tuple[Route, ...]:
    """READY_PATH, which answers 200 while the process serves, and /metrics for Prometheus."""
    return Route(READY_PATH, _health), Route("/metrics", _metrics)


async def _answers(port: int) -> bool:
    """Whether the server's ready path answers 200 over a real connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {READY_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    status = await reader.readline()
    writer.close()
    return b" 200 " in status


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        if not await _answers(port):
            raise RuntimeError(f"got no 200 from {READY_PATH} of port {port} after start-up")
        # What was loaded stays: without it a full collection stops every request for tens of milliseconds.
        gc.collect()
        gc.freeze()
        logging.getLogger("uvicorn.error").warning("ready: http://127.0.0.1:%d", port)
        emit({"event": "ready", "port": port})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_S):
                await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The lifeline ignores Ctrl-C, because the controller decides; uvicorn would take it back.
        ends = [signal.SIGTERM]
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            ends.append(signal.SIGINT)
        for end in ends:
            signal.signal(end, self.handle_exit)
        yield


def serve(app: ASGIApp, port: int) -> None:
    """Serve `app` on 127.0.0.1 until SIGTERM. `port` 0 takes any free one; the ready event tells which."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=120,  # longer than a drill's pauses: a connection closed while a request is sent is an error
    )
    _Server(config).run()
