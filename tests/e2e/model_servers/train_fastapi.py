"""Run by FastAPI's own Python: trains on the wines and writes the models beside the app. Argument: folder."""

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


def main(folder: Path) -> None:
    features, classes = load_wine(return_X_y=True)
    for name, model in MODELS.items():
        joblib.dump(model.fit(features, classes), folder / f"{name}.joblib")


main(Path(sys.argv[1]))
