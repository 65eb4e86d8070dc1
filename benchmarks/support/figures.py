"""The options that every benchmark has, and the file that it writes."""

import argparse
import json
import platform
from collections.abc import Mapping
from pathlib import Path


def options(docstring: str) -> argparse.Namespace:
    """`quick` and `json` from the command line."""
    parser = argparse.ArgumentParser(description=docstring.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


def write(path: Path | None, figures: Mapping[str, float], environment: Mapping[str, object]) -> None:
    """Write figures and environment, if there is a file to write them to."""
    if path is not None:
        ours = {"python": platform.python_version(), "machine": platform.machine()}
        text = json.dumps({"figures": figures, "environment": {**ours, **environment}}, indent=2)
        path.write_text(text + "\n", encoding="utf-8")
