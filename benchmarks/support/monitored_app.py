"""One Starlette app on uvicorn, as it is or watched: `python monitored_app.py bare|monitor|instrumentator FOLDER`.

Prints its port once it answers. FOLDER holds schema.json and sample.csv, and gets the prediction log.
"""

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ANSWER = json.dumps({"prediction_id": "8d7f0c0be7c94d1c9f2e", "score": 0.25, "label": 0}).encode()
TIMING = {"server-timing": "store;dur=3.2"}


async def predict(request: Request) -> Response:
    """Read the whole body, answer at once."""
    await request.body()
    return Response(ANSWER, media_type="application/json", headers=TIMING)


def app(kind: str, folder: Path) -> Any:
    """The app; its monitor has everything on."""
    made = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
    if kind == "monitor":
        return monitored(made, folder)
    if kind == "instrumentator":
        from prometheus_fastapi_instrumentator import Instrumentator

        Instrumentator().instrument(made).expose(made)
    return made


def monitored(made: Starlette, folder: Path) -> Any:
    """The app with a monitor that has everything on; `GET /folded` tells the CPU seconds that it spent on counting."""
    from alertdrill.monitor import Monitor

    class Timed(Monitor):
        folded_s = 0.0

        def _fold(self, *args: Any) -> None:
            began = time.thread_time()
            super()._fold(*args)
            self.folded_s += time.thread_time() - began

    watched = Timed(
        made,
        schema=folder / "schema.json",
        reference=folder / "sample.csv",
        log=folder / "predictions.jsonl",
        log_headers="user-agent",
        dependencies="store",
    )
    made.add_route("/folded", lambda _: Response(str(watched.folded_s)))
    return watched


class _Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    made = app(sys.argv[1], Path(sys.argv[2]))
    config = uvicorn.Config(
        made, host="127.0.0.1", port=0, log_level="warning", access_log=False, loop="uvloop", http="httptools"
    )
    _Server(config).run()
