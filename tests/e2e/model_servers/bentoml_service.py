"""Run by BentoML's own Python: a service with a model of the wines, whose predictions `bentoml.monitor` logs."""

from pathlib import Path
from typing import Any

import bentoml
import joblib
from pydantic import create_model
from sklearn.datasets import load_wine

FEATURES = load_wine().feature_names
Wine: Any = create_model("Wine", **dict.fromkeys(FEATURES, (float, ...)))


@bentoml.service(workers=1, monitoring={"enabled": True, "type": "default", "options": {"log_path": "monitoring"}})
class Wines:
    def __init__(self) -> None:
        self.model = joblib.load(Path(__file__).with_name("wine.joblib"))

    @bentoml.api
    def predict(self, row: Wine) -> dict[str, float]:
        with bentoml.monitor("wines") as monitor:
            for name in FEATURES:
                monitor.log(getattr(row, name), name=name, role="feature", data_type="numerical")
            chances = self.model.predict_proba([[getattr(row, name) for name in FEATURES]])[0]
            label, score = int(chances.argmax()), float(chances.max())
            monitor.log(label, name="label", role="prediction", data_type="categorical")
            monitor.log(score, name="score", role="prediction", data_type="numerical")
        return {"label": label, "score": score}
