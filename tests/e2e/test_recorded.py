"""One drill whose load plays a log of traffic."""

import json

import pytest

from alertdrill.adapters.load.payload_hash import ChunkDigests, marks
from alertdrill.adapters.traffic_log import read_log
from alertdrill.core.plan import Plan
from alertdrill.core.preconditions import ON_TIME
from alertdrill.core.scenario import RecordedLoad
from alertdrill.protocols.encoding import encode
from tests.e2e.drills import Drill

pytestmark = pytest.mark.drill("recorded")


def plan_of(drill: Drill) -> Plan:
    return Plan.model_validate_json((drill.folder / "plan.json").read_bytes())


def closed(drill: Drill) -> dict[int, dict[str, object]]:
    return {record["k"]: record for record in drill.journal if record["record"] == "segment_closed"}


def test_the_alert_fires_on_recorded_traffic(drill: Drill) -> None:
    assert drill.expectation("nulls")["verdict"] == "detected", drill.output
    assert drill.exit_code == 0


def test_everything_that_the_log_had_was_sent_in_time(drill: Drill) -> None:
    segments = closed(drill)
    assert len(segments) == len(plan_of(drill).segments)
    for one in segments.values():
        assert one["scheduled"] == one["sent"]
        assert one["within_100ms"] >= ON_TIME * one["sent"]
    assert segments[plan_of(drill).phase_segment("baseline").k]["sent"] == 800


def test_what_was_sent_are_the_rows_of_the_log(drill: Drill) -> None:
    plan, scenario = plan_of(drill), drill.folder.parents[2] / "scenario.yaml"
    assert isinstance(plan.scenario.load, RecordedLoad)
    rows = read_log(scenario, plan.scenario.load.log, plan.target.schema_).rows
    assert rows is not None
    bodies = encode(rows, plan.target.schema_)[:800]
    digests = ChunkDigests()
    digests.add(enumerate(bodies))
    running = marks(digests.digests(), digests.reached)
    assert closed(drill)[plan.phase_segment("baseline").k]["payload_sha256"] == running
    first = json.loads((scenario.parent / "traffic.jsonl").read_text().splitlines()[0])
    assert json.loads(bodies[0]) == first["request"]["instances"][0]


def test_the_rows_of_the_log_are_not_kept(drill: Drill) -> None:
    assert {one.name for one in drill.folder.iterdir()} == {
        "plan.json", "journal.jsonl", "samples.json.gz", "result.json",
    }  # fmt: skip
    assert "card-" not in (drill.folder / "plan.json").read_text()
