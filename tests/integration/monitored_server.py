"""A team's own Starlette app that wears the monitor, on uvicorn; prints its port.

`python -m tests.integration.monitored_server FOLDER`. What it answers to `/predict` is up to the request's header x-do.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.integration.monitor_process import ANSWER

from alertdrill.monitor import Monitor

TIMING = {"server-timing": 'store;desc="cards";dur=12.5'}


async def _pieces() -> AsyncIterator[bytes]:
    for at in range(0, len(ANSWER), 7):
        yield ANSWER[at : at + 7]
        await asyncio.sleep(0.005)


async def _breaks_off() -> AsyncIterator[bytes]:
    yield ANSWER[:9]
    raise RuntimeError("the model died")


async def predict(request: Request) -> Response:
    """Answer as the request asks for."""
    do = request.headers.get("x-do", "answer")
    if do == "refuse":
        return PlainTextResponse("unread", 401)
    body = await request.body()
    match do:
        case "echo":
            return Response(body, media_type="application/json")
        case "raise":
            raise RuntimeError("the model is broken")
        case "stream":
            return StreamingResponse(_pieces(), media_type="application/json")
        case "break":
            return StreamingResponse(_breaks_off(), media_type="application/json")
        case "nan":
            return Response(b'{"score": NaN}', media_type="application/json")
        case "after":
            return Response(ANSWER, background=BackgroundTask(asyncio.sleep, 2.0))
        case _:
            return Response(ANSWER, media_type="application/json", headers=TIMING)


async def health(request: Request) -> Response:
    """For whoever asks."""
    return PlainTextResponse("up")


def app(folder: Path) -> Starlette:
    """The app; the monitor is one line."""
    made = Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/health", health)])
    more: dict[str, Any] = json.loads((folder / "settings.json").read_text())
    made.add_middleware(Monitor, schema=folder / "schema.json", reference=folder / "sample.csv", **more)
    return made


class _Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    config = uvicorn.Config(app(Path(sys.argv[1])), host="127.0.0.1", port=0, log_level="critical", loop="uvloop")
    _Server(config).run()
