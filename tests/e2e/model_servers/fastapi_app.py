"""Run by FastAPI's own Python: an app with models of the wines, counted by prometheus-fastapi-instrumentator."""

from pathlib import Path
from typing import Any

import joblib
from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import create_model
from sklearn.datasets import load_wine

FEATURES = load_wine().feature_names
Wine: Any = create_model("Wine", **dict.fromkeys(FEATURES, (float, ...)))
wine, tolerant = (joblib.load(Path(__file__).with_name(f"{name}.joblib")) for name in ("wine", "tolerant"))

app = FastAPI()
Instrumentator().instrument(app).expose(app)


def predicted(model: Any, row: Any) -> dict[str, float]:
    chances = model.predict_proba([[getattr(row, name) for name in FEATURES]])[0]
    return {"label": int(chances.argmax()), "score": float(chances.max())}


@app.post("/predict")
def predict(row: Wine) -> dict[str, float]:
    return predicted(wine, row)


@app.post("/wide")
def predict_many(row: dict[str, float]) -> dict[str, float]:
    return {"label": 0, "score": sum(row.values()) / len(row)}


@app.post("/tolerant")
def predict_whatever(row: Wine) -> dict[str, float]:
    return predicted(tolerant, row)
