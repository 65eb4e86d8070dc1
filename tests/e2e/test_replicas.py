"""Whole drills on real pairs of Prometheis: the earliest counts, and what they disagree on never passes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.drills import ALERTDRILL, Drill

pytestmark = pytest.mark.long


def said(drill: Drill) -> list[tuple[str, str]]:
    """What each replica alone says of the one expectation: its name and verdict."""
    return [(one["replica"], one["verdict"]) for one in drill.expectation("nulls")["replicas"]["said"]]


@pytest.mark.drill("pair")
def test_of_two_replicas_the_earliest_gives_the_instant_and_both_are_shown(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert (one["verdict"], drill.exit_code) == ("detected", 0), drill.output
    times = {each["replica"]: each["ttd_s"] for each in one["replicas"]["said"]}
    assert [verdict for _, verdict in said(drill)] == ["detected", "detected"]
    assert len(set(times.values())) == 2, "their scrapes and evaluations stand at phases of their own"
    assert one["ttd_s"] == min(times.values())
    assert one["replicas"]["decisive"] == min(times, key=lambda name: times[name])
    assert one["replicas"]["disagreement"] is None
    assert one["floor_s"] <= one["ttd_s"] <= one["worst_s"]
    assert round(sum(hop["seconds"] for hop in one["waterfall"]), 3) == one["ttd_s"]
    assert drill.result["prohibitions"][0]["verdict"] == "quiet"
    assert {each["name"] for each in drill.result["replicas"]} == set(times)
    assert f"replicas: {said(drill)[0][0]} detected after" in drill.output


@pytest.mark.parametrize("_", [pytest.param(name, marks=pytest.mark.drill(name)) for name in ("pair", "one_store")])
def test_a_pair_is_judged_again_from_its_files_to_the_same_bytes(drill: Drill, tmp_path: Path, _: str) -> None:
    folder = tmp_path / drill.folder.name
    shutil.copytree(drill.folder, folder)
    before = (folder / "result.json").read_bytes()
    (folder / "result.json").unlink()
    done = subprocess.run([*ALERTDRILL, "check", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "result.json").read_bytes() == before


@pytest.mark.drill("pair")
def test_the_recording_of_a_pair_holds_the_samples_of_each(drill: Drill) -> None:
    samples = drill.samples
    (other,) = samples["replicas"].values()
    for one in (samples, other):
        assert {"ALERTS", "up"} <= {series["labels"]["__name__"] for series in one["series"]}
    assert samples["series"] != other["series"]


@pytest.mark.drill("pair_with_other_rules")
def test_a_replica_with_another_rule_file_makes_a_drill_inconclusive_and_is_named(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert (one["verdict"], one["reason"]["code"], drill.exit_code) == ("inconclusive", "replicas_disagree", 3)
    (_, first), (second, silent) = said(drill)
    assert (first, silent) == ("detected", "missed"), drill.output
    assert f"{second} says missed (never pending" in one["reason"]["text"]
    assert "their rules differ in expression" in one["reason"]["text"]
    assert second in one["reason"]["decide_it_by"]
    assert "[replicas_disagree]" in drill.output
    explained = subprocess.run(
        [*ALERTDRILL, "explain", str(drill.folder)], capture_output=True, text=True, check=False
    ).stdout
    assert "they disagree" in " ".join(explained.split())


@pytest.mark.drill("pair_half_killed")
def test_a_replica_that_dies_leaves_the_detection_of_the_other_and_is_reported(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert one["verdict"] == "detected", drill.output
    assert [verdict for _, verdict in said(drill)] == ["detected", "inconclusive"]
    assert "has given no answer that can be used for 3 s" in one["replicas"]["disagreement"]
    assert "has given no answer that can be used for 3 s" in drill.output
    (prohibition,) = drill.result["prohibitions"]
    assert (prohibition["verdict"], drill.exit_code) == ("inconclusive", 3), "that it was quiet takes both"


@pytest.mark.drill("one_store")
def test_replicas_that_write_to_one_store_are_told_apart_by_their_label(drill: Drill) -> None:
    one = drill.expectation("nulls")
    assert (one["verdict"], drill.exit_code) == ("detected", 0), drill.output
    assert said(drill) == [("replica-0", "detected"), ("replica-1", "detected")]
    assert "prometheus_replica" not in json.dumps(one["evidence"]["alert_labels"])
    assert "replicas" not in drill.samples
