"""One drill whose requests users of a team's own locustfile make."""

import hashlib
from typing import Any

import pytest

from tests.e2e.drills import Drill

pytestmark = [pytest.mark.drill("own_users"), pytest.mark.long]


def records(drill: Drill, kind: str) -> list[dict[str, Any]]:
    return [record for record in drill.journal if record["record"] == kind]


def test_the_alert_fires_on_requests_of_the_users(drill: Drill) -> None:
    assert drill.expectation("nulls")["verdict"] == "detected", drill.output
    assert drill.exit_code == 0


def test_the_plan_paces_the_users(drill: Drill) -> None:
    for one in records(drill, "segment_closed"):
        assert one["sent"] == one["within_100ms"]
    assert sum(one["sent"] for one in records(drill, "segment_closed")) > 500


def test_what_the_fault_touched_is_what_the_load_picked(drill: Drill) -> None:
    picked, touched = ({i for one in records(drill, kind) for i in one["i"]} for kind in ("picked", "touched"))
    assert picked == touched
    assert len(picked) > 20


def test_no_fill_is_claimed_for_rows_that_nobody_planned(drill: Drill) -> None:
    assert not records(drill, "fill")
    assert drill.expectation("nulls")["evidence"].get("floor_s") is None


def test_the_evidence_names_the_file_by_its_hash(drill: Drill) -> None:
    (started,) = records(drill, "started")
    file = drill.folder.parents[2] / "users.py"
    assert started["environment"]["locustfile_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
