"""Several drills at the same time, with processes that only wait."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drill import Drill
from recorded_runs import left_behind
from rich.console import Console

from alertdrill.adapters import processes
from alertdrill.compose.chosen import Chosen
from alertdrill.compose.jobs import JobEnd, JobsWatcher, _Jobs
from alertdrill.compose.options import Options
from alertdrill.core.errors import AlertdrillError, Interrupted
from alertdrill.report.progress import TerminalProgress

Take = Callable[[dict[str, Any]], None]


class FakeJob:
    """A process that says how its drill ended when it is told to, and takes a while to stop."""

    def __init__(self, name: str, take: Take, says: dict[str, Any] | None) -> None:
        self.name, self.exit_code, self.stopped = name, 0, False
        self._take, self._says = take, says
        self.let_go = asyncio.Event()

    async def ended(self, timeout_s: float | None) -> bool:
        await self.let_go.wait()
        if self._says is not None:
            self._take(self._says)
        return True

    async def stop(self, timeout_s: float) -> None:
        await asyncio.sleep(0.01)
        self.stopped = True

    def log_tail(self) -> str:
        return "Segmentation fault"


class World:
    """Jobs as they are begun, and what the watcher heard."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tmp_path = tmp_path
        self.begun: list[FakeJob] = []
        self._started = asyncio.Queue[None]()
        self.ends: dict[str, JobEnd] = {}
        self.says: dict[str, dict[str, Any] | None] = {}
        monkeypatch.setattr(processes, "start", self._start)

    async def _start(self, name: str, argv: list[str], log: Path, *, on_event: Take, environ: object) -> FakeJob:
        assert json.loads(argv[2])["argument"] == name
        self.begun.append(FakeJob(name, on_event, self.says.get(name)))
        self._started.put_nowait(None)
        return self.begun[-1]

    def passes(self, name: str, drill: Drill) -> None:
        outcome = left_behind(self.tmp_path, name, drill)
        self.says[name] = {"event": "ended", "folder": str(outcome.folder)}

    def run(self, names: str, jobs: int, fail_fast: bool = False) -> "asyncio.Task[None]":
        scenario = Drill().plan.scenario
        drills = [Chosen(one, Path(one), scenario.model_copy(update={"name": one})) for one in names]
        progress = TerminalProgress(Console(file=io.StringIO()), quiet=True)
        watcher = JobsWatcher(lambda _: progress, self._ended, lambda _: None)
        return asyncio.create_task(_Jobs(Options(), fail_fast, watcher, self.tmp_path).run(drills, jobs))

    def _ended(self, drill: Chosen, end: JobEnd) -> None:
        self.ends[drill.argument] = end

    async def until_begun(self, count: int) -> None:
        while len(self.begun) < count:
            await asyncio.wait_for(self._started.get(), 5.0)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(self.begun) == count


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


async def test_so_many_run_at_the_same_time_and_the_next_begins_when_one_has_ended(world: World) -> None:
    for name in "abc":
        world.passes(name, Drill().detect())
    running = world.run("abc", 2)
    await world.until_begun(2)
    assert [one.name for one in world.begun] == ["a", "b"]
    world.begun[1].let_go.set()
    await world.until_begun(3)
    for one in world.begun:
        one.let_go.set()
    await asyncio.wait_for(running, 5.0)
    assert next(iter(world.ends)) == "b"
    assert {name for name, end in world.ends.items() if end.passed} == {"a", "b", "c"}


async def test_fail_fast_stops_those_that_run_and_begins_no_other(world: World) -> None:
    world.passes("a", Drill())
    running = world.run("abcd", 2, fail_fast=True)
    await world.until_begun(2)
    world.begun[0].let_go.set()
    await asyncio.wait_for(running, 5.0)
    assert [one.name for one in world.begun] == ["a", "b"]
    assert world.begun[1].stopped
    assert world.ends["b"] == JobEnd()
    assert set(world.ends) == {"a", "b"}


async def test_without_fail_fast_all_are_run_whatever_one_came_to(world: World) -> None:
    world.says["a"] = {"event": "broke", "exit_code": 2, "what": "not reachable"}
    world.passes("b", Drill().detect())
    running = world.run("ab", 1)
    for count in (1, 2):
        await world.until_begun(count)
        world.begun[-1].let_go.set()
    await asyncio.wait_for(running, 5.0)
    error = world.ends["a"].error
    assert error is not None
    assert (str(error), error.exit_code) == ("not reachable", 2)
    assert world.ends["b"].passed


async def test_a_process_that_ends_without_a_word_is_told_with_its_last_words(world: World) -> None:
    running = world.run("a", 1)
    await world.until_begun(1)
    world.begun[0].let_go.set()
    await asyncio.wait_for(running, 5.0)
    assert isinstance(world.ends["a"].error, AlertdrillError)
    assert "a ended with exit code 0, and without a result\n    Segmentation fault" in str(world.ends["a"].error)


@pytest.mark.parametrize("times", [1, 3])
async def test_however_often_it_is_cancelled_all_have_ended_before_it_ends(world: World, times: int) -> None:
    running = world.run("abc", 2)
    await world.until_begun(2)
    for _ in range(times):
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [one.stopped for one in world.begun] == [True, True]
    assert [type(end.error) for end in world.ends.values()] == [Interrupted, Interrupted]
