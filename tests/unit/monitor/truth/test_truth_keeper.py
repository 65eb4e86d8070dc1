"""The keeper step by step, with a real store and a clock that stands still."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alertdrill.monitor.failures import Failures
from alertdrill.monitor.truth import keeper as keeper_module
from alertdrill.monitor.truth.clock import SteadyClock
from alertdrill.monitor.truth.feedback import Feedback
from alertdrill.monitor.truth.intake import Intake
from alertdrill.monitor.truth.joining import Joiner
from alertdrill.monitor.truth.keeper import REST, Keeper
from alertdrill.monitor.truth.measuring import measure
from alertdrill.monitor.truth.settings import TruthSettings
from alertdrill.monitor.truth.store import Ailment, Store, UnusableStore

Parse = Callable[[str], dict[tuple[str, ...], float]]
EVERY_S = 10.0


class Check:
    """Counts its turns, and fails if told to."""

    def __init__(self) -> None:
        self.steps, self.fails = 0, False

    def step(self, store: Store, now: float) -> None:
        self.steps += 1
        if self.fails:
            raise ZeroDivisionError

    def render(self, labels: Mapping[str, str]) -> Iterator[str]:
        return iter(())


class World:
    """A keeper, and what it is done to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, self.measured, self.folder = 1_000.0, 0, folder
        self.measuring: Any = lambda: None
        self.check, self.failures = Check(), Failures()
        monkeypatch.setattr(time, "monotonic", lambda: self.at)
        monkeypatch.setattr(keeper_module, "measure", self._measure)
        given = {"truth_store": folder / "truth.db", "truth_every": f"{EVERY_S:g}s", "feedback_log": folder / "log"}
        settings = TruthSettings.model_validate(given)
        clock = SteadyClock(wall=lambda: self.at, steady=lambda: self.at)
        self.keeper = Keeper(settings, "1", Intake(), clock, self.check, self.failures)  # type: ignore[arg-type]

    def _measure(self, *given: Any) -> Any:
        self.measured += 1
        self.measuring()
        return measure(*given)

    def steps(self, count: int, of_s: float = 0.1) -> None:
        """What the thread does in so many rounds."""
        for _ in range(count):
            with self.failures:
                self.keeper._step()
            self.at += of_s

    def rendered(self) -> str:
        return "".join(self.keeper.render({"model": "fraud", "version": "1"}))

    @property
    def known(self) -> bool:
        return 'state="unknown"} 0.0' in self.rendered()

    def stop(self) -> None:
        self.keeper._told_to_stop.set()
        self.keeper.run()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path, monkeypatch)
    yield made
    made.stop()


def test_quality_stays_known_until_its_next_turn_however_long_measuring_takes(world: World) -> None:
    took_s, seen = 30.0, list[bool]()

    def slowly() -> None:
        seen.append(world.known)
        world.at += took_s
        seen.append(world.known)

    world.measuring = slowly
    world.steps(1)
    while world.measured < 3:
        world.steps(1, of_s=5.0)
        seen.append(world.known)
    assert seen[:2] == [False, False]
    assert all(seen[2:])


def test_quality_is_unknown_when_it_was_not_worked_out_for_long(world: World) -> None:
    world.steps(1)
    assert world.known
    world.at += 59.0
    assert world.known
    world.at += 2.0
    assert not world.known


def test_measuring_that_fails_waits_for_its_next_turn_and_the_check_still_runs(world: World) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    world.measuring = fail
    world.steps(int(EVERY_S * 10))
    assert (world.measured, world.failures.count, world.check.steps) == (1, 1, EVERY_S * 10)
    world.steps(10)
    assert (world.measured, world.failures.count) == (2, 2)
    assert not world.known


def test_a_store_that_fails_in_measuring_has_measuring_wait_and_not_the_check(world: World, values: Parse) -> None:
    def fail() -> None:
        raise UnusableStore(Ailment.FAILED, "disk I/O error")

    world.measuring = fail
    world.steps(int(EVERY_S * 10) - 1)
    assert (world.measured, world.failures.count) == (1, 0)
    assert world.check.steps > EVERY_S
    assert values(world.rendered())["model_truth_store_failures_total", "failed"] == 1


def test_a_check_that_fails_waits_and_measuring_goes_on(world: World) -> None:
    world.check.fails = True
    world.steps(int(EVERY_S * 10))
    assert (world.check.steps, world.failures.count, world.measured) == (1, 1, 1)
    world.steps(10)
    assert (world.check.steps, world.measured) == (2, 2)


def test_measuring_rests_for_as_long_as_its_cost_asks(world: World) -> None:
    def slowly() -> None:
        world.at += 2.0

    world.measuring = slowly
    world.steps(1)
    world.steps(int(REST * 2 * 10) - 1)
    assert world.measured == 1
    world.steps(2)
    assert world.measured == 2


def test_feedback_that_no_transaction_can_hold_does_not_keep_the_rest_of_the_log_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, values: Parse
) -> None:
    about = Joiner._about

    def fails_once(joiner: Joiner, item: Feedback, identity: str) -> None:
        if identity == "bad":
            raise ZeroDivisionError
        about(joiner, item, identity)

    monkeypatch.setattr(Joiner, "_about", fails_once)
    log = world.folder / "log"
    log.write_text(json.dumps({"id": "bad", "label": 1}) + "\n")
    world.steps(3)
    with log.open("a") as file:
        file.write(json.dumps({"id": "next", "label": 1}) + "\n")
    world.steps(3)
    seen = values(world.rendered())
    assert seen["model_feedback_total", "early"] == 1
    assert seen["model_feedback_refused_total", "store_failed"] == 1
    assert world.failures.count == 1
