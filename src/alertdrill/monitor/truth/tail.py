"""Feedback from a file of JSON lines that others write to, from where it was last read."""

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

CHUNK_BYTES = 64 << 10  # read at a time; a longer line is left out


class Position(NamedTuple):
    """How far a file has been read."""

    inode: int
    offset: int


class Lines(NamedTuple):
    """What was read.

    Attributes:
        whole: lines without their ends; blank ones left out.
        too_long: lines over `CHUNK_BYTES`.
        position: behind the last of them.
    """

    whole: list[bytes]
    too_long: int
    position: Position


class Tail:
    """Reads on in a file; a file that was replaced or cut is read to the old one's end, then from its start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._position = Position(0, 0)
        self._skipping = False

    def resume(self, position: Position | None) -> None:
        """Go to where the store says that it was read to; None: the start."""
        self.close()
        self._position, self._skipping = position or Position(0, 0), False

    def read(self) -> Lines | None:
        """The next lines that are complete; None if there are none.

        Raises:
            OSError: the file is there and cannot be read.
        """
        if self._file is None and not self._open():
            return None
        assert self._file is not None
        self._file.seek(self._position.offset)
        chunk = self._file.read(CHUNK_BYTES)
        end = chunk.rfind(b"\n") + 1
        if not chunk:
            self._look_for_another()
            return None
        if end == 0 and len(chunk) < CHUNK_BYTES:
            return None
        return self._lines(chunk, end)

    def _lines(self, chunk: bytes, end: int) -> Lines:
        lines = chunk[:end].split(b"\n")
        too_long = 0
        if self._skipping and end:  # the rest of a line that was too long
            lines, self._skipping = lines[1:], False
        elif end == 0:
            too_long, end = int(not self._skipping), len(chunk)
            self._skipping = True
        self._position = Position(self._position.inode, self._position.offset + end)
        return Lines([line for line in lines if line.strip()], too_long, self._position)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> bool:
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError:
            return False
        found = os.fstat(self._file.fileno())
        if found.st_ino != self._position.inode or found.st_size < self._position.offset:
            self._position, self._skipping = Position(found.st_ino, 0), False
        return True

    def _look_for_another(self) -> None:
        """At the end of a file: is another one there by that name, or was this one cut?"""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return
        if found.st_ino != self._position.inode or found.st_size < self._position.offset:
            self.close()
