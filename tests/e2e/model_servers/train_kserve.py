"""Run by KServe's own Python: trains on the wines and writes one of named columns. Argument: folder."""

import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(folder: Path) -> None:
    features, classes = load_wine(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features, classes)
    joblib.dump(model, folder / "wine.joblib")


main(Path(sys.argv[1]))
