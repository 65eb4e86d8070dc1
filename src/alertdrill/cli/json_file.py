"""A file that a command is to write, looked at before anything is done."""

import os
from collections.abc import Iterator
from pathlib import Path

from alertdrill.core.errors import Mistake


def unwritable(file: Path | None, option: str = "--json") -> Iterator[Mistake]:
    """Why a file cannot be written, if one was asked for."""
    if file is not None and (file.is_dir() or not os.access(file.absolute().parent, os.W_OK)):
        yield Mistake(option, str(file), "a file that can be written", "give another path")
