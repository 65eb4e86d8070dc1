"""The file of --json, looked at before anything is done."""

import os
from collections.abc import Iterator
from pathlib import Path

from alertdrill.core.errors import Mistake


def unwritable(json: Path | None) -> Iterator[Mistake]:
    """Why a file cannot be written, if one was asked for."""
    if json is not None and (json.is_dir() or not os.access(json.absolute().parent, os.W_OK)):
        yield Mistake("--json", str(json), "a file that can be written", "give another path")
