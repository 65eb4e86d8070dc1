"""A team's own app with DrillFaults below what measures it. Run as a script: [bare] [PORT]; prints its port."""

import sys
import time
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry, Counter, Summary, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from alertdrill.inside import DrillFaults

REGISTRY = CollectorRegistry()
LATENCY = Summary("app_latency_seconds", "Seconds a prediction took.", registry=REGISTRY)
WORKED = Counter("app_worked", "Predictions made.", registry=REGISTRY)
CODES = Counter("app_answers", "Answers by code.", ["code"], registry=REGISTRY)


class Measured:
    """What a team's instrumentation does."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] != "/predict":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                CODES.labels(str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, noted)
        LATENCY.observe(time.perf_counter() - started)


async def predict(request: Request) -> Response:
    """The work."""
    WORKED.inc()
    return PlainTextResponse(await request.body())


async def metrics(request: Request) -> Response:
    """For Prometheus."""
    return PlainTextResponse(generate_latest(REGISTRY))


def app() -> Starlette:
    """The app; what is added last is outermost."""
    made = Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/metrics", metrics)])
    if "bare" not in sys.argv:
        made.add_middleware(DrillFaults)
    made.add_middleware(Measured)
    return made


class _Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    port = int(sys.argv[-1]) if sys.argv[-1].isdigit() else 0
    _Server(uvicorn.Config(app(), host="127.0.0.1", port=port, log_level="warning", loop="asyncio")).run()
