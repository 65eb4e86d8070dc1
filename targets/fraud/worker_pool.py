"""A bounded pool of workers with a bounded queue in front: why latency explodes when load exceeds capacity."""

import asyncio
from dataclasses import dataclass


class QueueFull(Exception):
    """Every place of the queue is taken."""


@dataclass(frozen=True)
class _Job:
    arrived_at: float
    done: asyncio.Future[None]


class WorkerPool:
    """`workers` that serve one job each at a time, first come first served, `service_s` seconds a job.

    Capacity is workers / service_s jobs a second. Below it a job takes little more than `service_s`; above it the
    queue grows until it is full, and a job then takes queue_limit / capacity seconds.
    """

    def __init__(self, workers: int, service_s: float, queue_limit: int) -> None:
        self._service_s = service_s
        self._queue: asyncio.Queue[_Job] = asyncio.Queue(queue_limit)
        self._tasks = [asyncio.create_task(self._work()) for _ in range(workers)]

    @property
    def queued(self) -> int:
        """Jobs that wait for a worker."""
        return self._queue.qsize()

    async def work(self) -> None:
        """Return once a worker has done one job.

        Raises:
            QueueFull: the queue has no place left; at once.
        """
        loop = asyncio.get_running_loop()
        job = _Job(loop.time(), loop.create_future())
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            raise QueueFull from None
        await job.done

    async def close(self) -> None:
        """Send the workers home."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        free_at = loop.time()
        while True:
            job = await self._queue.get()
            # From when the worker should have been free, not from when its timer woke it: timers are up to a
            # millisecond late, and the capacity would be less than it says.
            free_at = max(free_at, job.arrived_at) + self._service_s
            await asyncio.sleep(free_at - loop.time())
            if not job.done.done():
                job.done.set_result(None)
