"""A file that a command is to write: looked at before anything is done, and what is said if it fails nevertheless."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alertdrill.core.errors import AlertdrillError, Mistake


def unwritable(file: Path | None, option: str = "--json") -> Iterator[Mistake]:
    """Why a file cannot be written, if one was asked for."""
    if file is not None and (os.path.isdir(file) or not os.access(file.absolute().parent, os.W_OK)):
        yield Mistake(option, str(file), "a file that can be written", "give another path")


@contextmanager
def writing(path: Path, option: str = "--json FILE") -> Iterator[None]:
    """What is written inside goes where an option says.

    Raises:
        AlertdrillError: it could not be written; the text names the option.
    """
    try:
        yield
    except BrokenPipeError:  # of who reads what is printed
        raise
    except OSError as error:
        what = f"{error.filename or path}: {error.strerror or error}"
        raise AlertdrillError(f"{what}\n  fix: free space, or write elsewhere ({option})") from None
