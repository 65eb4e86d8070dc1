"""Run by MLflow's own Python: trains on the wines and saves a model with a signature of named columns."""

import sys
from pathlib import Path

import mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(folder: Path) -> None:
    features, classes = load_wine(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features, classes)
    signature = infer_signature(features, model.predict(features))
    mlflow.sklearn.save_model(model, folder / "wine", signature=signature)


main(Path(sys.argv[1]))
