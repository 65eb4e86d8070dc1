"""Several drills at the same time, each a process with a tree and ports of its own; they end with this process."""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alertdrill.adapters import processes
from alertdrill.adapters.processes import Child, Event, ProcessFailed
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.results_folder import ResultsFolder, check_writable
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.signals import OF_A_DRILL, run_until_signalled
from alertdrill.compose.chosen import Chosen
from alertdrill.compose.options import Options
from alertdrill.core.errors import AlertdrillError, Interrupted
from alertdrill.core.inside_protocol import TOKEN_VARIABLE
from alertdrill.core.result import EXIT_CODES, Result
from alertdrill.run.ports import ActiveAlert, Progress, Traffic

MODULE = "alertdrill.cli.job"
STOP_S = 5.0
"""A drill that is told to stop takes less than two seconds; after this it is killed, and its processes with it."""


@dataclass(frozen=True)
class JobEnd:
    """How one drill of several ended.

    Attributes:
        folder: its evidence; None if there is no result.
        result: the verdicts; None if there are none.
        error: why not; None if there are, or if it was stopped because another did not pass.
    """

    folder: Path | None = None
    result: Result | None = None
    error: AlertdrillError | None = None

    @property
    def passed(self) -> bool:
        """Whether it ended, and passed."""
        return self.result is not None and EXIT_CODES[self.result.verdict] == 0


@dataclass(frozen=True)
class JobsWatcher:
    """Who is told of several drills while they run.

    Attributes:
        progress: gives the progress of a drill.
        ended: a drill ended, or was stopped; called once for each that was begun.
        note: takes a line that belongs to none of them.
    """

    progress: Callable[[Chosen], Progress]
    ended: Callable[[Chosen, JobEnd], None]
    note: Callable[[str], None]


def run_jobs(drills: Sequence[Chosen], options: Options, jobs: int, fail_fast: bool, watcher: JobsWatcher) -> None:
    """Run drills, so many at the same time, begun in order. Call it from the main thread.

    Args:
        drills: all of them.
        options: of each.
        jobs: how many at the same time.
        fail_fast: once one does not pass, stop those that run and begin no other.
        watcher: who is told.

    Raises:
        Interrupted: the user stopped them; all have ended, and the watcher knows of each that was begun.
        AlertdrillError: nothing could be begun.
    """
    check_writable(options.results)
    if any(one.scenario.monitoring.prometheus == "managed" for one in drills):
        ensure_prometheus(progress=watcher.note)  # once, not by each
    with Scratch("alertdrill-jobs-") as scratch:
        run_until_signalled(_Jobs(options, fail_fast, watcher, scratch.path).run(drills, jobs), OF_A_DRILL)


class _Jobs:
    def __init__(self, options: Options, fail_fast: bool, watcher: JobsWatcher, logs: Path) -> None:
        self._options, self._fail_fast, self._watcher, self._logs = options, fail_fast, watcher, logs
        self._running: dict[asyncio.Task[JobEnd], Chosen] = {}
        self._enough = False

    async def run(self, drills: Sequence[Chosen], jobs: int) -> None:
        waiting = deque(enumerate(drills))
        try:
            while waiting or self._running:
                while waiting and len(self._running) < jobs:
                    number, drill = waiting.popleft()
                    self._running[asyncio.create_task(self._one(number, drill))] = drill
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                passed = [self._took(task).passed for task in done]
                if self._fail_fast and not all(passed):
                    self._enough = True
                    return
        finally:
            await self._stop()

    def _took(self, task: asyncio.Task[JobEnd]) -> JobEnd:
        end = JobEnd() if task.cancelled() else task.result()
        if end == JobEnd() and not self._enough:
            end = JobEnd(error=Interrupted(f"interrupted: {OF_A_DRILL}"))
        self._watcher.ended(self._running.pop(task), end)
        return end

    async def _stop(self) -> None:
        """Stop what runs; however often this is cancelled, it waits until all have ended, which takes `STOP_S`."""
        for task in self._running:
            task.cancel()
        cancelled = False
        while any(not task.done() for task in self._running):
            try:
                await asyncio.wait(self._running)
            except asyncio.CancelledError:
                cancelled = True
        for task in tuple(self._running):
            self._took(task)
        if cancelled:
            raise asyncio.CancelledError

    async def _one(self, number: int, drill: Chosen) -> JobEnd:
        """One drill; if this is cancelled, which happens once, the drill is stopped: an empty end."""
        heard = _Heard(self._watcher.progress(drill))
        try:
            child = await self._started(number, drill, heard)
        except OSError as error:
            return JobEnd(error=ProcessFailed(f"{drill.scenario.name} could not be started: {error}"))
        try:
            await child.ended(None)
        except asyncio.CancelledError:
            await child.stop(STOP_S)
            return heard.end if heard.end is not None and heard.end.result is not None else JobEnd()
        await child.stop(STOP_S)
        return heard.end or JobEnd(error=_broke(child))

    async def _started(self, number: int, drill: Chosen, heard: "_Heard") -> Child:
        token = os.environ.get(TOKEN_VARIABLE)
        return await processes.start(
            drill.scenario.name,
            ["-m", MODULE, order(drill.argument, self._options)],
            self._logs / f"{number}.log",
            on_event=heard.take,
            environ={} if token is None else {TOKEN_VARIABLE: token},
        )


def _broke(child: Child) -> ProcessFailed:
    said = "".join(f"\n    {line}" for line in child.log_tail().splitlines())
    return ProcessFailed(f"{child.name} ended with exit code {child.exit_code}, and without a result{said}")


def order(argument: str, options: Options) -> str:
    """What a job is told to do, as JSON."""
    return json.dumps(
        {
            "argument": argument,
            "results": str(options.results),
            "rules": [str(one) for one in options.rules],
            "prometheus": options.prometheus,
            "only": options.only,
            "workers": options.workers,
            "allow_locustfile": options.allow_locustfile,
            "allow_commands": options.allow_commands,
            "record": options.record,
        }
    )


class _Heard:
    """What a job says: progress, and how it ended."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.end: JobEnd | None = None

    def take(self, event: Event) -> None:
        match event["event"]:
            case "note":
                self._progress.note(event["text"])
            case "segment":
                self._progress.segment(event["title"], event["until"])
            case "alerts":
                self._progress.alerts([ActiveAlert(one["labels"], one["state"]) for one in event["active"]])
            case "traffic":
                self._progress.traffic(_traffic(event))
            case "ended":
                folder = Path(event["folder"])
                self.end = JobEnd(folder, ResultsFolder(folder).read_result())
            case "broke":
                error = AlertdrillError(event["what"])
                error.exit_code = event["exit_code"]
                self.end = JobEnd(error=error)


def _traffic(event: Mapping[str, Any]) -> Traffic:
    latencies = event["latencies_s"]
    return Traffic(
        event["rate_per_s"], None if latencies is None else tuple(latencies), event["errors"], event["in_flight"]
    )
