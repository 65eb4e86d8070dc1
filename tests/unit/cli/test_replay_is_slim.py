import subprocess
import sys

HEAVY = ("gevent", "httpx", "joblib", "locust", "matplotlib", "pandas", "requests", "scipy", "sklearn")


def test_replaying_imports_neither_load_nor_models_nor_http_clients() -> None:
    code = f"import alertdrill.cli.replay, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_replaying_a_past_imports_neither_load_nor_models() -> None:
    heavy = ("gevent", "joblib", "locust", "sklearn")
    code = f"import alertdrill.cli.history, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
