"""Several drills of one scenario, judged together."""

import json
import subprocess

import pytest

from tests.e2e.drills import ALERTDRILL, Drill

pytestmark = [pytest.mark.drill("repeated"), pytest.mark.long]


def test_each_of_several_drills_has_its_own_requests_and_all_have_one_verdict(drill: Drill) -> None:
    together = json.loads((drill.folder / "repeat.json").read_bytes())
    runs = [json.loads((drill.folder.parent / one["run_id"] / "result.json").read_bytes()) for one in together["runs"]]
    assert (together["asked"], len(runs), together["broken"]) == (2, 2, [])
    first, second = (run["load"]["payload_sha256"] for run in runs)
    assert first != second
    assert together["runs"][0]["seed"] == 7 != together["runs"][1]["seed"]
    (one,) = together["expectations"]
    assert one["estimate"]["detected"] == one["estimate"]["runs"] == 2, drill.output
    assert one["ttd"]["p50_s"] == min(run["expectations"][0]["ttd_s"] for run in runs)
    assert (one["gate"]["verdict"], together["verdict"], drill.exit_code) == ("passed", "passed", 0)
    assert "PASSED after 2 of 2 runs" in drill.output


def test_each_of_several_drills_follows_its_alert_to_the_receiver(drill: Drill) -> None:
    together = json.loads((drill.folder / "repeat.json").read_bytes())
    (one,) = together["expectations"]
    assert (one["notifies_receiver"], one["notifications"]) == ("pager", {"delivered": 2})
    assert f'{one["alert"]}{{feature="amount"}} to pager' in drill.output
    for run in together["runs"]:
        folder = drill.folder.parent / run["run_id"]
        witness = json.loads((folder / "result.json").read_bytes())["second_witness"]
        assert (witness["instants"] >= 2, witness["differences"]) == (True, [])
        done = subprocess.run([*ALERTDRILL, "explain", str(folder)], capture_output=True, text=True, check=False)
        assert (done.returncode, "delivered to pager (pagerduty)" in done.stdout) == (0, True), done.stdout


def test_several_drills_are_judged_again_from_their_folders(drill: Drill) -> None:
    before = (drill.folder / "repeat.json").read_bytes()
    done = subprocess.run([*ALERTDRILL, "check", str(drill.folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (drill.folder / "repeat.json").read_bytes() == before
