"""The model server: scores card transactions over HTTP, looking each card up in the feature store.

Run as `python server.py --data DIR --feature-store URL [--port N] [--store-timeout-s S]`.
"""

import os

# One thread: a pool of them a request costs more than it saves, and stalls on shared cores. Before numpy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import joblib
import orjson
import server_metrics as metrics
import yaml
from card_lookup import CardLookup
from history import History
from measured import Measured
from model import FraudModel, Row
from request_check import InvalidInput, check
from serving import admin_routes, serve
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from store_client import StoreClient

from alertdrill.inside import DrillFaults
from alertdrill.protocols.schema import Schema

FORWARDED = (b"x-alertdrill-run", b"x-alertdrill-seq")
WARM_UP_ROUNDS = 200


@dataclass(frozen=True)
class Target:
    """What target.yaml says about the model."""

    name: str
    version: str
    schema: Schema


def load_target() -> Target:
    """The target.yaml beside this script."""
    content = yaml.safe_load(Path(__file__).with_name("target.yaml").read_text(encoding="utf-8"))
    return Target(content["name"], content["version"], Schema.model_validate(content["schema"]))


def load_model(data: Path) -> FraudModel:
    """The model that train.py left in the folder `data`.

    Raises:
        SystemExit: the folder has not been prepared.
    """
    path = data / "model.joblib"
    if not path.exists():
        raise SystemExit(f"{path}: got no such file, expected a model\n  fix: python train.py --data {data}")
    model: FraudModel = joblib.load(path)
    return model


def warm_up(model: FraudModel, schema: Schema) -> None:
    """Score rows of nothing but nulls, so that the first real request does not pay for first-time work."""
    row = dict.fromkeys(schema.names())
    for _ in range(WARM_UP_ROUNDS):
        model.score(row, model.default_history)


class FraudServer:
    """Answers predictions of one model."""

    def __init__(self, target: Target, model: FraudModel, store: StoreClient) -> None:
        self._target = target
        self._model = model
        self._store = store
        self._cards = CardLookup(store, model.default_history, target.name, target.version)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Warm the model up before the first request is accepted."""
        warm_up(self._model, self._target.schema)
        yield
        self._store.close()

    async def predict(self, request: Request) -> Response:
        """Score one transaction: 200 with the prediction, 422 with every mistake of the input."""
        try:
            row = check(await request.body(), self._target.schema)
            forwarded = [header for header in request.headers.raw if header[0] in FORWARDED]
            code, body = 200, self._answer(row, await self._cards.history(str(row["card_id"]), forwarded))
        except InvalidInput as invalid:
            for mistake in invalid.mistakes:
                metrics.INVALID.labels(mistake.reason).inc()
            code, body = 422, invalid.to_json()
        except ClientDisconnect:
            code, body = 499, b""  # the body never came; nobody is left to read an answer
        return Response(body, code, media_type="application/json")

    def _answer(self, row: Row, history: History) -> bytes:
        score = self._model.score(row, history)
        return orjson.dumps(
            {
                "prediction_id": uuid.uuid4().hex,
                "score": round(score, 6),
                "label": int(score >= self._model.threshold),
                "model": self._target.name,
                "version": self._target.version,
            }
        )

    def app(self) -> ASGIApp:
        """The ASGI app: what measures it, the faults of a drill inside, and what works."""
        path = self._target.schema.path
        routes = [Route(path, self.predict, methods=["POST"]), *admin_routes()]
        return Measured(DrillFaults(Starlette(routes=routes, lifespan=self.lifespan)), path)


def main() -> None:
    """Serve the model of the folder on the command line."""
    parser = argparse.ArgumentParser(description="Scores card transactions over HTTP.")
    parser.add_argument("--data", type=Path, required=True, help="folder that train.py filled")
    parser.add_argument("--feature-store", required=True, metavar="URL", help="where card histories are looked up")
    parser.add_argument("--port", type=int, default=0, help="0: any free one (default)")
    parser.add_argument("--store-timeout-s", type=float, default=1.0, help="seconds a lookup (default %(default)s)")
    options = parser.parse_args()
    try:
        store = StoreClient(options.feature_store, options.store_timeout_s)
    except ValueError as error:
        parser.error(f"argument --feature-store: {error}")
    target, model = load_target(), load_model(options.data)
    serve(FraudServer(target, model, store).app(), options.port)


if __name__ == "__main__":
    main()
