"""A scikit-learn model behind the Open Inference Protocol, on Starlette and uvicorn; prints its port.

`python -m tests.integration.tensor_server`. It answers as model servers do: 400 to tensors that it cannot use, and 200
with an error inside where the country is unknown.
"""

import socket

import numpy as np
import uvicorn
from sklearn.linear_model import LogisticRegression
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

AMOUNTS = np.random.default_rng(1).normal(50.0, 10.0, (500, 1))
MODEL = LogisticRegression().fit(AMOUNTS, AMOUNTS[:, 0] > 50.0)


async def infer(request: Request) -> Response:
    """Class and probabilities of the tensor `amount`."""
    try:
        tensors = {one["name"]: one["data"] for one in (await request.json())["inputs"]}
        if tensors["country"] == ["XX"]:
            return JSONResponse({"error": "no such country"})
        amounts = np.array(tensors["amount"], dtype=np.float64).reshape(-1, 1)
        proba = MODEL.predict_proba(amounts)
    except (KeyError, TypeError, ValueError) as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    outputs = [
        {"name": "predict", "shape": [len(proba), 1], "datatype": "INT64", "data": proba.argmax(axis=1).tolist()},
        {"name": "predict_proba", "shape": [*proba.shape], "datatype": "FP64", "data": proba.ravel().tolist()},
    ]
    return JSONResponse({"model_name": "m", "id": "7", "outputs": outputs})


class Telling(uvicorn.Server):
    """Says its port once it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say where."""
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    app = Starlette(routes=[Route("/v2/models/m/infer", infer, methods=["POST"])])
    Telling(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")).run()
