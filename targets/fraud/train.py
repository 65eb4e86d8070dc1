"""Makes what the target needs in a folder: the model, the card histories and the sample; nothing if all is there.

Run as `python train.py --data DIR`. Seconds the first time; again only when the sources or a library changed.
"""

import os

# One thread: the sums, and so the model, do not depend on the number of cores. Set before numpy is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import fcntl
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from alertdrill.lifeline import emit, flush

SEED = 20
SOURCES = ("history.py", "population.py", "transactions.py", "model.py", "fit.py", "train.py")
LIBRARIES = ("scikit-learn", "numpy", "faker", "joblib")
FILES = ("model.joblib", "histories.json", "sample.csv")
STAMP = "stamp.json"
UNFINISHED = ".training-"  # prefix of the folder that files are written to before they are renamed


def fingerprint() -> str:
    """Hash of all that the files are made from: the scripts of this folder and the versions of the libraries."""
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(Path(__file__).with_name(source).read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library}=={version(library)};".encode())
    return digest.hexdigest()


def read_stamp(data: Path) -> Mapping[str, object] | None:
    """What the last training in `data` left, or None if it is missing, incomplete or stale."""
    try:
        stamp = json.loads((data / STAMP).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    complete = all((data / name).exists() for name in FILES)
    return stamp if complete and stamp.get("fingerprint") == fingerprint() else None


@contextmanager
def alone_in(data: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two trainings at once become one; a process that dies gives it back.

    Whoever holds it removes what a training that was killed left behind.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for abandoned in data.glob(f"{UNFINISHED}*"):
            shutil.rmtree(abandoned)
        yield


def train(data: Path) -> Mapping[str, object]:
    """Fit and write all files; each appears complete or not at all, the stamp last."""
    # Imported here: a second of imports that a folder which is up to date does not need.
    import joblib
    from fit import SAMPLE_ROWS, TRAINING_ROWS, fit

    started = time.perf_counter()
    fitted = fit(SEED)
    cards = zip(fitted.population.card_ids, fitted.population.histories, strict=True)
    histories = {card: asdict(history) for card, history in cards}
    (data / STAMP).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix=UNFINISHED) as folder:
        fresh = Path(folder)
        joblib.dump(fitted.model, fresh / "model.joblib")
        (fresh / "histories.json").write_text(json.dumps(histories))
        (fresh / "sample.csv").write_text(fitted.sample.to_csv(), encoding="utf-8", newline="")
        stamp = {
            "fingerprint": fingerprint(),
            "auc": round(fitted.auc, 4),
            "auc_of_rule": round(fitted.auc_of_rule, 4),
            "training_rows": TRAINING_ROWS,
            "sample_rows": SAMPLE_ROWS,
            "seconds": round(time.perf_counter() - started, 2),
        }
        (fresh / STAMP).write_text(json.dumps(stamp, indent=1))
        for name in (*FILES, STAMP):
            os.replace(fresh / name, data / name)
    return stamp


def main() -> None:
    """Train into the folder of the command line, unless it is up to date, and print the held-out AUC."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder for the model, the histories and the sample")
    data: Path = parser.parse_args().data
    with alone_in(data):
        stamp = read_stamp(data)
        state = "trained" if stamp is None else "up to date"
        stamp = stamp or train(data)
    print(f"{data}: {state}, held-out AUC {stamp['auc']} (label rule {stamp['auc_of_rule']})")
    emit({"event": "prepared", "state": state, **stamp})
    flush(0.2)


if __name__ == "__main__":
    main()
