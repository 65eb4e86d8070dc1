"""The main job once more, its load shared by two workers that were started apart."""

import pytest

from tests.e2e.drills import Drill, Drills

pytestmark = [pytest.mark.drill("seed_by_workers"), pytest.mark.long]


def test_the_drill_passes(drill: Drill) -> None:
    assert drill.exit_code == 0, drill.output
    assert "2 of 2 workers joined at 127.0.0.1:" in drill.output


def test_it_sends_what_one_process_sends(drill: Drill, drills: Drills) -> None:
    one, shared = drills.get("seed").result["load"], drill.result["load"]
    common = [
        pair for a, b in zip(one["payload_sha256"], shared["payload_sha256"], strict=True) for pair in _marks(a, b)
    ]
    assert len(common) >= 3
    assert all(a == b for a, b in common)
    assert shared["sent"] == shared["answered"] + shared["failed"]
    assert one.keys() == shared.keys()


def _marks(first: list[str], second: list[str]) -> list[tuple[str, str]]:
    """Marks of a segment that both have; the last is where it ended, and it ends at another request each time."""
    return list(zip(first[:-1], second[:-1], strict=False))


def test_every_worker_knew_the_time(drill: Drill) -> None:
    known = [one for one in drill.journal if one["record"] == "worker"]
    assert {one["worker"] for one in known} == {1, 2}
    assert max(one["error_s"] for one in known) < 0.025


def test_every_fault_was_delivered_as_planned(drill: Drill) -> None:
    for fault in drill.result["faults"]:
        assert fault["touched"] >= 0.99 * fault["planned"] > 0
