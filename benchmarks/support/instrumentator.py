"""prometheus-fastapi-instrumentator: unpacked into a folder of its own in the cache, never into the environment."""

import subprocess
import sys
from pathlib import Path

from platformdirs import user_cache_path

VERSION = "8.1.0"


def folder() -> Path:
    """Folder to put on the module path; Starlette and prometheus-client are those of the environment."""
    found = user_cache_path("alertdrill") / "benchmarks" / f"instrumentator-{VERSION}"
    if not (found / "prometheus_fastapi_instrumentator").exists():
        wanted = f"prometheus-fastapi-instrumentator=={VERSION}"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", found, wanted]
        subprocess.run(command, check=True, timeout=300)
    return found
