"""The text of a YAML file: opened without waiting, read within bounds, and quoted by the mistakes in it."""

import codecs
import os
import stat
from itertools import islice
from pathlib import Path, PurePath

from alertdrill.adapters.yaml_nodes import Spot, split_lines
from alertdrill.core.errors import BadInput, Mistake, nearest

MAX_BYTES = 1_000_000
MAX_NAME = 1000
_NAMES_COMPARED = 1000


class NotOpened(Exception):
    """There is no file to read at the path: what is there instead, and whether that is nothing at all."""

    def __init__(self, got: str, missing: bool = False) -> None:
        super().__init__(got)
        self.got, self.missing = got, missing


class Source:
    """One file.

    Attributes:
        path: where it is.
        file: what mistakes call it.
        base: its folder, seen from the folder of the scenario: where relative names in it start.
        text: all of it.
    """

    def __init__(self, path: Path, text: str, base: PurePath | None = None) -> None:
        self.path, self.file, self.base, self.text = path, str(path), base or PurePath(), text
        self._lines = split_lines(text)

    def mistake(self, where: str, spot: Spot | None, got: str, expected: str, fix: str) -> Mistake:
        """A mistake at a place of this file, which it quotes, or in the file as a whole."""
        if spot is None:
            return Mistake(where, got, expected, fix, file=self.file)
        line = self._lines[spot.line - 1] if spot.line <= len(self._lines) else None
        return Mistake(where, got, expected, fix, spot.line, spot.column, line, self.file)


def read_text(path: Path, read_before: int = 0) -> str:
    """The text of a regular file, which has at most `MAX_BYTES` together with the `read_before` of other files.

    Raises:
        NotOpened: there is no such file, or it cannot be read.
        BadInput: it is too large, or no UTF-8.
    """
    data = _read_bytes(path, read_before)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _unreadable(path, "UTF-16 text", "UTF-8 text", "save the file as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        got = f"the byte 0x{data[error.start]:02x} in line {line}"
        raise _unreadable(path, got, "UTF-8 text", "save the file as UTF-8", line) from None


def nearest_file(path: Path) -> str | None:
    """The name of a file in the folder of `path` that is most like its name, or None."""
    try:
        return nearest(path.name, [entry.name for entry in islice(path.parent.iterdir(), _NAMES_COMPARED)])
    except (OSError, ValueError):
        return None


def is_name(text: str) -> bool:
    """Whether text can be the name of a file at all."""
    return 0 < len(text) <= MAX_NAME and "\0" not in text


def _read_bytes(path: Path, read_before: int) -> bytes:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise NotOpened("a pipe" if stat.S_ISFIFO(found.st_mode) else "a device")
            data = file.read(MAX_BYTES - read_before + 1)
    except (OSError, ValueError) as error:
        got = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise NotOpened(got.lower(), isinstance(error, FileNotFoundError)) from None
    if read_before + len(data) > MAX_BYTES:
        got = f"{max(found.st_size, len(data)) / 1e6:.1f} MB"
        got += f", and {read_before / 1e6:.1f} MB in the files read before" if read_before else ""
        raise _unreadable(path, got, f"at most {MAX_BYTES // 10**6} MB", "is this the right file?")
    return data


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the writer of a pipe, and without making a terminal our own."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _unreadable(path: Path, got: str, expected: str, fix: str, line: int | None = None) -> BadInput:
    return BadInput([Mistake("", got, expected, fix, line, file=str(path))])
