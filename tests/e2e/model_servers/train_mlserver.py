"""Run by MLServer's own Python: trains on the wines and writes what `mlserver start` wants. Arguments: folder, port."""

import json
import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {
    "wine": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "tolerant": HistGradientBoostingClassifier(max_iter=20),
}


def main(folder: Path, port: int) -> None:
    features, classes = load_wine(return_X_y=True, as_frame=True)
    for name, model in MODELS.items():
        (folder / name).mkdir()
        model.fit(features, classes)
        joblib.dump(model, folder / name / "model.joblib")
        implementation = "mlserver_sklearn.SKLearnModel"
        settings = {"name": name, "implementation": implementation, "parameters": {"uri": "./model.joblib"}}
        (folder / name / "model-settings.json").write_text(json.dumps(settings))
    of_server = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    (folder / "settings.json").write_text(json.dumps({**of_server, "parallel_workers": 0}))


main(Path(sys.argv[1]), int(sys.argv[2]))
