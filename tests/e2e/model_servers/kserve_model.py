"""Run by KServe's own Python: its server with a model of the wines. Argument: port."""

import sys
from pathlib import Path
from typing import Any

import joblib
import pandas
from kserve import Model, ModelServer


class Wines(Model):
    def __init__(self) -> None:
        super().__init__("wine")
        self.model = joblib.load(Path(__file__).with_name("wine.joblib"))
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> dict[str, Any]:
        rows = pandas.DataFrame(payload["instances"])
        return {"predictions": [{"scores": one} for one in self.model.predict_proba(rows).tolist()]}


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([Wines()])
