"""Whole lines of a file that others write to, as they are appended, through rotation and truncation."""

import os
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

READ_BYTES = 256 << 10
LONGEST_LINE_BYTES = 4 << 20
MOST_ROTATED = 1000


class Position(NamedTuple):
    """How far a file has been read."""

    inode: int
    offset: int


START = Position(0, 0)
"""Of no file: whichever is there is read from its beginning."""


def end_of(path: Path) -> Position:
    """Where the next line of a file will stand; the beginning of one that is yet to come."""
    try:
        found = os.stat(path)
    except OSError:
        return START
    return Position(found.st_ino, found.st_size)


class LineFile:
    """Whole lines of a file as they are appended, from a position in it on.

    A file that was moved away is read to its end, until the one that has taken its name is written to; one that was cut
    is read anew from its beginning. What stands after the last line end is kept until its own comes, or the next file.

    Attributes:
        position: behind the last line that was read.
        rotations: files that took the name of the one before, or were cut.
        too_long: lines that were skipped for their length.
    """

    def __init__(self, path: Path, position: Position = START, read_bytes: int = READ_BYTES) -> None:
        """Nothing read yet.

        Args:
            path: of the file, which may come later.
            position: where to begin; another file than that, or a shorter one, is read from its beginning.
            read_bytes: at a time.
        """
        self._path, self._read_bytes = path, read_bytes
        self._file: BufferedReader | None = None
        self.rotations = self.too_long = 0
        self.resume(position)

    def resume(self, position: Position) -> None:
        """Go to a position in the file that has the name, as at the start."""
        self.close()
        self._file, self.position = None, position
        self._half, self._skipping = b"", False

    def read(self) -> list[bytes]:
        """The lines that have come since, as many as one read brings; none if nothing has.

        Raises:
            OSError: the file is there and cannot be read.
        """
        file = self._file or self._open()
        if file is None:
            return []
        data = file.read(self._read_bytes)
        if data:
            return self._lines(file, data)
        if not self._moved(file):
            return []
        data = file.read(self._read_bytes)  # what came between the last read and the move
        return self._lines(file, data) if data else self._next_file(file)

    def _next_file(self, file: BufferedReader) -> list[bytes]:
        """Turn to the file after this one; what is left of this one, without a line end, is a line too."""
        following = self._following(file)
        if following is None:
            return []
        file.close()
        last, self._half = self._half, b""
        self._file, self._skipping = following, False
        self.position = Position(os.fstat(following.fileno()).st_ino, 0)
        self.rotations += 1
        return [last] if last.strip() else []

    def _following(self, file: BufferedReader) -> BufferedReader | None:
        """The file after this one, opened: where this one became `log.3` since, that is `log.2`.

        None within a rotation: look again.
        """
        at = self._rotated_to(file)
        name = f"{self._path.name}.{at - 1}" if at is not None and at > 1 else self._path.name
        try:
            following = self._path.with_name(name).open("rb")
            if self._rotated_to(file) == at and _is_newer(following, file):
                return following
            following.close()
            return None if self._rotated_to(file) != at else self._path.open("rb")
        except OSError:
            return None

    def _rotated_to(self, file: BufferedReader) -> int | None:
        """The number that this file has behind its name since it was moved; None if it has none."""
        here = os.fstat(file.fileno())
        for number in range(1, MOST_ROTATED + 1):
            try:
                there = os.stat(self._path.with_name(f"{self._path.name}.{number}"))
            except OSError:
                return None
            if os.path.samestat(here, there):
                return number
        return None

    def _open(self) -> BufferedReader | None:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return None
        found = os.fstat(file.fileno())
        if found.st_ino != self.position.inode:
            self.position = Position(found.st_ino, 0)
        file.seek(self.position.offset)
        self._file = file
        return file

    def _moved(self, file: BufferedReader) -> bool:
        """Whether another file has the name and is written to, or this one is shorter than what was read of it.

        As long as the other one is empty, whoever writes may not have turned to it yet.
        """
        here = os.fstat(file.fileno())
        try:
            there = os.stat(self._path)
        except OSError:
            return False  # within a rotation: the next file is yet to come
        return here.st_size < file.tell() if os.path.samestat(here, there) else there.st_size > 0

    def _lines(self, file: BufferedReader, data: bytes) -> list[bytes]:
        *whole, self._half = (self._half + data).split(b"\n")
        if whole:
            self.position = Position(self.position.inode, file.tell() - len(self._half))
        if whole and self._skipping:
            del whole[0]
            self._skipping = False
        if len(self._half) > LONGEST_LINE_BYTES:
            self.too_long += not self._skipping
            self._half, self._skipping = b"", True
        return [line for line in whole if line.strip()]

    def close(self) -> None:
        """Read no more."""
        if self._file is not None:
            self._file.close()


def _is_newer(one: BufferedReader, other: BufferedReader) -> bool:
    """Whether a file was written after another; it was not where the highest number is the newest."""
    return os.fstat(one.fileno()).st_mtime_ns >= os.fstat(other.fileno()).st_mtime_ns
