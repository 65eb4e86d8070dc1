import subprocess
import sys

import pytest

HEAVY = (
    "aiosmtpd", "cramjam", "dateparser", "gevent", "httptools", "httpx", "joblib", "junitparser", "locust",
    "matplotlib", "pandas", "platformdirs", "plotly", "prometheus_api_client", "prometheus_client", "pyarrow",
    "requests", "scipy", "sklearn", "starlette", "uvicorn", "uvloop",
)  # fmt: skip
CODE = f"""
import sys
import alertdrill.cli.app, alertdrill.cli.{{}}
from pydantic import BaseModel

def models(one):
    return [one, *(inner for each in one.__subclasses__() for inner in models(each))]

print([name for name in {HEAVY} if name in sys.modules])
print([one.__name__ for one in models(BaseModel) if "alertdrill" in one.__module__ and one.__pydantic_complete__])
"""


@pytest.mark.parametrize("command", ["check", "coverage", "explain", "replay"])
def test_commands_of_every_day_import_what_they_need_and_build_models_when_used(command: str) -> None:
    """What neither asks a server nor makes load starts without what does; a model that is built costs a millisecond."""
    done = subprocess.run([sys.executable, "-c", CODE.format(command)], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n[]\n", "")


def test_replaying_a_past_imports_neither_load_nor_models() -> None:
    heavy = ("gevent", "joblib", "locust", "sklearn")
    code = f"import alertdrill.cli.history, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
