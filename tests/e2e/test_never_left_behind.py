"""However a drill ends, nothing of it goes on running, and what it saw until then is kept.

Every story below is one real drill that is disturbed at one point. The stories run side by side with the other drills;
each test waits for its own and looks at what was seen.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.e2e.marked_drill import MarkedDrill, eventually

PATIENCE_S = 40.0
INTERRUPTED_WITHIN_S = 2.0
GONE_AFTER_KILL_S = 8.0
LEASE_S = 3.0
WORKERS = ("--workers", "2")
INTERRUPTED = 130
INCONCLUSIVE, FAILED = 3, 1


@dataclass(frozen=True)
class Seen:
    """What was seen of one disturbed drill."""

    exit_code: int | None
    took_s: float
    output: str
    left_running: dict[int, str]
    records: list[str]
    check_code: int | None
    check_output: str
    notes: dict[str, bool] = field(default_factory=dict)


Story = Callable[[Path], Seen]


def _aftermath(drill: MarkedDrill, disturbed_at: float, timeout_s: float, notes: dict[str, bool] | None = None) -> Seen:
    """Wait for the controller to end, then look at what is left."""
    exit_code = drill.ended(timeout_s)
    took_s = time.monotonic() - disturbed_at
    drill.nothing_runs(GONE_AFTER_KILL_S if exit_code == -signal.SIGKILL else 0.5)
    left = drill.running()
    check = drill.check() if drill.results() else None
    kept = [one["record"] for one in drill.journal()]
    code, said = (check.returncode, check.stdout + check.stderr) if check else (None, "")
    return Seen(exit_code, took_s, drill.output, left, kept, code, said, notes or {})


def _signalled(
    folder: Path, wait: Callable[[MarkedDrill], None], *signals: signal.Signals, more: Sequence[str] = ()
) -> Seen:
    with MarkedDrill(folder, *more) as drill:
        wait(drill)
        disturbed_at = time.monotonic()
        for number in signals:
            drill.process.send_signal(number)
            time.sleep(0.05)
        return _aftermath(drill, disturbed_at, PATIENCE_S)


def _lost(folder: Path, role: str) -> Seen:
    with MarkedDrill(folder) as drill:
        drill.wait_for_fault()
        (pid,) = drill.pids(role)
        disturbed_at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        return _aftermath(drill, disturbed_at, PATIENCE_S)


def interrupted_while_the_model_is_prepared(folder: Path) -> Seen:
    return _signalled(folder, lambda drill: drill.wait_for_output("preparing model"), signal.SIGINT)


def interrupted_while_the_model_is_imported(folder: Path) -> Seen:
    return _signalled(folder, lambda drill: drill.wait_for_output("starting model"), signal.SIGINT)


def terminated_while_the_model_is_imported(folder: Path) -> Seen:
    return _signalled(folder, lambda drill: drill.wait_for_output("starting model"), signal.SIGTERM)


def interrupted_while_the_load_is_imported(folder: Path) -> Seen:
    return _signalled(folder, lambda drill: drill.wait_for_output("starting the load"), signal.SIGINT)


def interrupted_in_the_baseline(folder: Path) -> Seen:
    return _signalled(folder, lambda drill: drill.wait_for_output("phase baseline"), signal.SIGINT)


def interrupted_in_a_fault_phase(folder: Path) -> Seen:
    return _signalled(folder, MarkedDrill.wait_for_fault, signal.SIGINT)


def interrupted_with_workers(folder: Path) -> Seen:
    return _signalled(folder, MarkedDrill.wait_for_fault, signal.SIGINT, more=WORKERS)


def interrupted_twice(folder: Path) -> Seen:
    return _signalled(folder, MarkedDrill.wait_for_fault, signal.SIGINT, signal.SIGINT)


def terminated_in_a_fault_phase(folder: Path) -> Seen:
    return _signalled(folder, MarkedDrill.wait_for_fault, signal.SIGTERM)


def controller_killed(folder: Path) -> Seen:
    return _signalled(folder, MarkedDrill.wait_for_fault, signal.SIGKILL)


def controller_frozen(folder: Path) -> Seen:
    return _frozen(folder)


def controller_with_workers_frozen(folder: Path) -> Seen:
    return _frozen(folder, *WORKERS)


def _frozen(folder: Path, *more: str) -> Seen:
    with MarkedDrill(folder, *more) as drill:
        drill.wait_for_fault()
        drill.process.send_signal(signal.SIGSTOP)
        let_go = eventually(lambda: not drill.pids("load") and not drill.pids("proxy"), LEASE_S + 2.0)
        disturbed_at = time.monotonic()
        drill.process.send_signal(signal.SIGCONT)
        return _aftermath(drill, disturbed_at, PATIENCE_S, {"load and proxy let go": let_go})


def load_killed(folder: Path) -> Seen:
    return _lost(folder, "load")


def worker_killed(folder: Path) -> Seen:
    with MarkedDrill(folder, *WORKERS) as drill:
        drill.wait_for_fault()
        disturbed_at = time.monotonic()
        os.kill(drill.pids("worker")[0], signal.SIGKILL)
        seen = _aftermath(drill, disturbed_at, PATIENCE_S)
        (trouble,) = [one["what"] for one in drill.journal() if one["record"] == "trouble"]
        return replace(seen, notes={"the worker is named": trouble.startswith("load-worker-")})


def monitor_killed(folder: Path) -> Seen:
    return _lost(folder, "monitor")


def model_killed(folder: Path) -> Seen:
    return _lost(folder, "model")


def proxy_killed(folder: Path) -> Seen:
    return _lost(folder, "proxy")


def prometheus_killed(folder: Path) -> Seen:
    return _lost(folder, "prometheus")


def prometheus_frozen(folder: Path) -> Seen:
    with MarkedDrill(folder) as drill:
        drill.wait_for_fault()
        (pid,) = drill.pids("prometheus")
        disturbed_at = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        seen = _aftermath(drill, disturbed_at, PATIENCE_S)
        kinds = {one["kind"] for one in drill.journal() if one["record"] == "trouble"}
        return replace(seen, notes={"load and faults kept their leases": "child_died" not in kinds})


@pytest.fixture
def seen(request: pytest.FixtureRequest, told: dict[Story, Future[Seen]]) -> Seen:
    """What the story of this test came to."""
    return told[request.param].result()


def _of(*stories: Story) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("seen", stories, indirect=True, ids=lambda story: story.__name__)


EARLY_STORIES = (
    interrupted_while_the_model_is_prepared,
    interrupted_while_the_model_is_imported,
    terminated_while_the_model_is_imported,
)
INTERRUPTED_STORIES = (
    interrupted_while_the_load_is_imported,
    interrupted_in_the_baseline,
    interrupted_in_a_fault_phase,
    interrupted_with_workers,
    interrupted_twice,
    terminated_in_a_fault_phase,
)
LOST_STORIES = (
    load_killed,
    worker_killed,
    monitor_killed,
    model_killed,
    proxy_killed,
    prometheus_killed,
    prometheus_frozen,
)


@_of(*EARLY_STORIES)
def test_a_drill_that_is_interrupted_while_it_starts_is_gone_within_two_seconds(seen: Seen) -> None:
    assert seen.exit_code == INTERRUPTED, seen.output
    assert seen.took_s < INTERRUPTED_WITHIN_S
    assert not seen.left_running
    assert "Traceback" not in seen.output
    assert seen.check_code in (None, INCONCLUSIVE), seen.check_output


@_of(*INTERRUPTED_STORIES)
def test_an_interrupted_drill_is_gone_within_two_seconds_and_keeps_its_evidence(seen: Seen) -> None:
    assert seen.exit_code == INTERRUPTED, seen.output
    assert seen.took_s < INTERRUPTED_WITHIN_S
    assert not seen.left_running
    assert "Traceback" not in seen.output
    assert "trouble" in seen.records
    assert seen.check_code == INCONCLUSIVE, seen.check_output
    assert "Traceback" not in seen.check_output


@_of(controller_killed)
def test_a_drill_whose_controller_is_killed_leaves_no_process_and_evidence_that_can_be_judged(seen: Seen) -> None:
    assert seen.exit_code == -signal.SIGKILL
    assert not seen.left_running
    assert seen.check_code == INCONCLUSIVE, seen.check_output


@_of(controller_frozen, controller_with_workers_frozen)
def test_a_frozen_controller_loses_load_and_faults_and_says_so_once_it_goes_on(seen: Seen) -> None:
    assert seen.notes["load and proxy let go"]
    assert seen.exit_code == INCONCLUSIVE, seen.output
    assert "lease" in seen.output
    assert "Traceback" not in seen.output
    assert not seen.left_running


@_of(*LOST_STORIES)
def test_a_drill_that_loses_a_process_ends_with_a_verdict_and_leaves_nothing(seen: Seen) -> None:
    assert seen.exit_code in (INCONCLUSIVE, FAILED), seen.output
    assert "Traceback" not in seen.output
    assert not seen.left_running
    assert "trouble" in seen.records
    assert seen.check_code == seen.exit_code
    assert all(seen.notes.values()), seen.notes
