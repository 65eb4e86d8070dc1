"""A file of lines that is written by a thread of its own and rotated by size; what the disk does not take is lost."""

import contextlib
import logging
import os
import queue
import threading
from pathlib import Path

MOST_WAITING_BYTES = 32 << 20
CLOSE_S = 2.0

_log = logging.getLogger(__name__)


class LogWriter:
    """Appends blocks of whole lines to a file; never blocks, never raises.

    A block is written whole or not at all: after an error the file is cut back to where it began. Rotation renames
    `log` to `log.1`, that to `log.2` and so on.

    Attributes:
        written: lines on disk.
        dropped: lines not taken because too much waited for the disk.
        failed: lines that the disk did not take.
        rotations: files begun because the last one was full.
    """

    def __init__(self, path: Path, max_bytes: int, files: int) -> None:
        """Nothing is opened before the first block.

        Args:
            path: of the file.
            max_bytes: a file is full when another block would make it longer than this.
            files: how many there are at most, the current one included; at least 1.
        """
        self._path, self._max_bytes, self._files = path, max_bytes, files
        self._blocks: queue.SimpleQueue[tuple[bytes, int] | threading.Event] = queue.SimpleQueue()
        self._put_bytes = self._got_bytes = 0  # each is changed by one thread alone
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._fd: int | None = None
        self.written = self.dropped = self.failed = self.rotations = 0

    def put(self, block: bytes, lines: int) -> None:
        """Have some lines written."""
        if self._put_bytes - self._got_bytes + len(block) > MOST_WAITING_BYTES:
            self.dropped += lines
            return
        self._put_bytes += len(block)
        self._blocks.put((block, lines))
        if self._thread is None or self._pid != os.getpid():  # a thread does not survive a fork
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait until what was put is on disk, for at most two seconds."""
        if self._thread is not None and self._pid == os.getpid():
            written = threading.Event()
            self._blocks.put(written)
            written.wait(CLOSE_S)

    def _run(self) -> None:
        while True:
            item = self._blocks.get()
            if isinstance(item, threading.Event):
                self._shut()
                item.set()
                continue
            block, lines = item
            try:
                self._write(block)
                self.written += lines
            except OSError as error:
                if not self.failed:  # the first tells why; one for every block would fill another disk
                    _log.error("%s: %s; its lines are lost and counted", self._path, error.strerror or error)
                self.failed += lines
            self._got_bytes += len(block)

    def _write(self, block: bytes) -> None:
        fd, size = self._opened(len(block))
        view = memoryview(block)
        try:
            while view:
                view = view[os.write(fd, view) :]
        except OSError:
            with contextlib.suppress(OSError):  # a device cannot be cut
                os.ftruncate(fd, size)
            self._shut()
            raise

    def _opened(self, more: int) -> tuple[int, int]:
        """The file to write to, and its size; another one if it is full or was moved away."""
        if self._fd is not None and not self._is_current(self._fd):
            self._shut()
        if self._fd is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        size = os.fstat(self._fd).st_size
        if size and size + more > self._max_bytes:
            self._shut()
            self._rotate()
            return self._opened(more)
        return self._fd, size

    def _is_current(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(fd))
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        names = [self._path, *[self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._files)]]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)
        if self._files == 1:
            self._path.unlink()
        self.rotations += 1

    def _shut(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with contextlib.suppress(OSError):
                os.close(fd)
