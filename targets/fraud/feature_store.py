"""The feature store: a process of its own that answers card histories, with a bounded pool of workers.

Run as `python feature_store.py --data DIR [--port N] [--workers N] [--service-ms MS] [--max-wait-ms MS]`.
"""

import argparse
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from prometheus_client import Counter, Gauge, Histogram
from serving import admin_routes, serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from worker_pool import QueueFull, WorkerPool

REQUESTS = Counter("feature_store_requests", "Lookups answered, by HTTP status code.", ["code"])
DURATION = Histogram(
    "feature_store_request_duration_seconds",
    "Seconds from a lookup's arrival to its answer, queueing included.",
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
)
QUEUED = Gauge("feature_store_queued_requests", "Lookups that wait for a worker.")


def load_histories(data: Path) -> dict[str, bytes]:
    """Card id to its record as JSON, ready to send.

    Raises:
        SystemExit: the folder has not been prepared.
    """
    path = data / "histories.json"
    if not path.exists():
        raise SystemExit(f"{path}: got no such file, expected card histories\n  fix: python train.py --data {data}")
    return {card: orjson.dumps(record) for card, record in orjson.loads(path.read_bytes()).items()}


class FeatureStore:
    """Answers lookups through a worker pool; health and metrics go past it, as on an admin port."""

    def __init__(self, histories: dict[str, bytes], workers: int, service_s: float, max_wait_s: float) -> None:
        self._histories = histories
        self._capacity = (workers, service_s, max(1, round(max_wait_s * workers / service_s)))
        self._codes = {code: REQUESTS.labels(str(code)) for code in (200, 404, 503)}

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Keep the workers while the app runs."""
        self._pool = WorkerPool(*self._capacity)
        QUEUED.set_function(lambda: self._pool.queued)
        yield
        await self._pool.close()

    async def card(self, request: Request) -> Response:
        """The history of a card: 404 if there is no such card, 503 if the queue is full.

        A lookup whose client has gone is still worked on: this is what makes an overload last.
        """
        started = time.perf_counter()
        try:
            await self._pool.work()
        except QueueFull:
            code, body = 503, b'{"error":"queue is full"}'
        else:
            known = self._histories.get(request.path_params["card_id"])
            code, body = (404, b'{"error":"unknown card"}') if known is None else (200, known)
        self._codes[code].inc()
        DURATION.observe(time.perf_counter() - started)
        return Response(body, code, media_type="application/json")

    def app(self) -> Starlette:
        """The ASGI app."""
        routes = [
            Route("/cards/{card_id}", self.card),
            *admin_routes(),
        ]
        return Starlette(routes=routes, lifespan=self.lifespan)


def _positive(convert: Callable[[str], float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = convert(text)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"got {text}, expected more than 0")
        return value

    parse.__name__ = convert.__name__  # argparse names it when the text is no number at all
    return parse


def main() -> None:
    """Serve the histories of the folder on the command line."""
    parser = argparse.ArgumentParser(description="Card histories over HTTP. Capacity: workers / service time.")
    parser.add_argument("--data", type=Path, required=True, help="folder that train.py filled")
    parser.add_argument("--port", type=int, default=0, help="0: any free one (default)")
    parser.add_argument(
        "--workers", type=_positive(int), default=2, help="lookups worked on at once (default %(default)s)"
    )
    parser.add_argument(
        "--service-ms", type=_positive(float), default=2.5, help="milliseconds a lookup (default %(default)s)"
    )
    parser.add_argument(
        "--max-wait-ms",
        type=_positive(float),
        default=800.0,
        help="a lookup that would queue longer gets 503 (default %(default)s)",
    )
    options = parser.parse_args()
    histories = load_histories(options.data)
    store = FeatureStore(histories, options.workers, options.service_ms / 1_000, options.max_wait_ms / 1_000)
    serve(store.app(), options.port)


if __name__ == "__main__":
    main()
