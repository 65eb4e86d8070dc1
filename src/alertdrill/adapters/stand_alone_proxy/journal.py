"""The journal of a fault proxy that stands by itself: a line of JSON for whatever it did, never rewritten."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class ProxyJournal:
    """Appends to a file; every method raises OSError when that cannot be done.

    Records: `started` · `begun` (run, place) · `touched` and `seen`, as the events of a fault proxy · `ended` (run,
    why: empty if the controller ended it or its lease ran out). `at` is the wall clock in seconds.
    """

    def __init__(self, file: Path) -> None:
        """Open the file, which is made if there is none."""
        self._fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def write(self, records: Sequence[dict[str, Any]], sync: bool = False) -> None:
        """Append records; `sync`: return once they are on the disk."""
        now = round(time.time(), 6)
        data = b"".join(json.dumps({"at": now, **one}, separators=(",", ":")).encode() + b"\n" for one in records)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        if sync:
            try:
                os.fsync(self._fd)
            except OSError as error:
                if error.errno not in _NOT_A_DISK:
                    raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


_NOT_A_DISK = (22, 95)  # EINVAL, EOPNOTSUPP: a pipe or a device has nothing to put on a disk
