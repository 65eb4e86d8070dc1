"""What the model's process takes of its machine: CPU, memory, disk, files, threads, its children's included."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

from alertdrill.monitor.exposition import header, key, lines

COUNTERS = ("cpu_seconds_total", "disk_read_bytes_total", "disk_written_bytes_total")


@dataclass(frozen=True)
class _Reading:
    """Of one process: counters since its start, gauges as they are."""

    counters: tuple[float, ...]
    resident_bytes: int
    files: int
    threads: int


class Resources:
    """Samples a process and its descendants.

    Counters never fall: what a child that has ended took until it was last seen stays counted.

    Args:
        labels: of the model, put on every series.
        pid: of the model's process. Another process that gets this number later is not taken for it.
    """

    def __init__(self, labels: Mapping[str, str], pid: int) -> None:
        self._labels = dict(labels)
        self._process: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):
            self._process = psutil.Process(pid)
        self._totals = [0.0] * len(COUNTERS)
        self._last: dict[psutil.Process, tuple[float, ...]] = {}
        self._now: list[_Reading] = []

    def sample(self) -> None:
        """Look at the processes. Takes some milliseconds: not for an event loop."""
        seen = {process: reading for process in self._family() if (reading := _read(process)) is not None}
        for process, reading in seen.items():
            before = self._last.get(process, (0.0,) * len(COUNTERS))
            for at, (new, old) in enumerate(zip(reading.counters, before, strict=True)):
                self._totals[at] += max(new - old, 0.0)
        self._last = {process: reading.counters for process, reading in seen.items()}
        self._now = list(seen.values())

    def _family(self) -> list[psutil.Process]:
        if self._process is None or not self._process.is_running():
            return []
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.Error:
            return [self._process]

    def render(self) -> Iterator[str]:
        """The lines of these metrics, as of the last sample."""
        texts = ("CPU time, user and system.", "Bytes read from disks.", "Bytes written to disks.")
        for name, text, total in zip(COUNTERS, texts, self._totals, strict=True):
            yield from self._one(name, f"{text[:-1]}, by the model's processes.", total)
        yield from self._one("up", "Whether the model's process runs.", int(bool(self._now)))
        yield from self._one("processes", "Processes of the model.", len(self._now))
        resident = sum(one.resident_bytes for one in self._now)
        yield from self._one("resident_memory_bytes", "Resident memory of the model's processes.", resident)
        yield from self._one("open_fds", "Open files of the model's processes.", sum(one.files for one in self._now))
        yield from self._one("threads", "Threads of the model's processes.", sum(one.threads for one in self._now))

    def _one(self, name: str, text: str, value: float) -> Iterator[str]:
        full = f"model_process_{name}"
        yield header(full, "counter" if name in COUNTERS else "gauge", text)
        yield from lines([key(full, self._labels)], [value])


def _read(process: psutil.Process) -> _Reading | None:
    """None if it is gone. What this user may not see, or this system does not know, counts as 0."""
    try:
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            cpu = process.cpu_times()
            read_bytes = written_bytes = files = 0
            with contextlib.suppress(psutil.AccessDenied, AttributeError, NotImplementedError):
                disk = process.io_counters()
                read_bytes, written_bytes = disk.read_bytes, disk.write_bytes
            with contextlib.suppress(psutil.AccessDenied, AttributeError, NotImplementedError):
                files = process.num_fds()
            counters = (cpu.user + cpu.system, float(read_bytes), float(written_bytes))
            return _Reading(counters, process.memory_info().rss, files, process.num_threads())
    except psutil.Error:
        return None
