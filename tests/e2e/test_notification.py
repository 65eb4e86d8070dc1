"""Whom alerts reach: by a team's own routes in a managed Alertmanager, and in one of the team's own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.drills import ALERTDRILL, Drill, scenario
from tests.e2e.recipes import NULLS, ROUTES


def outcomes(drill: Drill) -> list[tuple[str, str, str | None]]:
    found = drill.result["expectations"]
    return [(one["verdict"], one["notification"], (one["reason"] or {}).get("code")) for one in found]


@pytest.mark.drill("routed")
def test_an_alert_is_delivered_to_webhook_and_mailbox_and_not_where_no_route_leads(drill: Drill) -> None:
    assert outcomes(drill) == [
        ("detected", "delivered", None),
        ("detected", "delivered", None),
        ("not_notified", "wrong_receiver", "wrong_receiver"),
    ]
    pager, mail, nobody = drill.result["expectations"]
    assert "delivered to pager, mail, not to nobody" in nobody["reason"]["text"]
    assert drill.exit_code == 1
    for one in (pager, mail):
        assert 0 < one["notify_s"] < 2
        assert one["ttn_s"] == pytest.approx(one["ttd_s"] + one["notify_s"], abs=1e-6)
    evidence = pager["evidence"]["notification"]
    assert {"receiver": "mail", "integration": "email", "to": ["team@example.com"]} in evidence["delivered_to"]
    assert (
        pager["firing_at"] <= evidence["posted_at"] < pager["firing_at"] + 2
    )  # beside the Alertmanager, not before it
    assert pager["firing_at"] <= evidence["accepted_at"] <= evidence["delivered_at"]


@pytest.mark.drill("routed")
def test_what_was_made_of_the_receivers_is_said_and_no_secret_is_in_the_results(drill: Drill) -> None:
    assert "receiver pager: pagerduty: delivered to alertdrill instead" in drill.output
    kept = b"".join(file.read_bytes() for file in drill.folder.iterdir())
    assert b"s3cret" not in kept


@pytest.mark.drill("routed")
def test_the_posts_of_the_engine_witness_every_instant(drill: Drill) -> None:
    witness = drill.result["second_witness"]
    assert witness["instants"] >= 2
    assert (witness["differences"], witness["max_difference_s"] <= 0.001) == ([], True)


@pytest.mark.drill("routed")
def test_notifications_are_judged_again_from_the_files_alone_to_the_same_bytes(drill: Drill) -> None:
    before = (drill.folder / "result.json").read_bytes()
    done = subprocess.run([*ALERTDRILL, "check", str(drill.folder)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert (drill.folder / "result.json").read_bytes() == before


@pytest.mark.drill("routed")
def test_why_nobody_was_notified_is_explained_with_what_would_change_it(drill: Drill) -> None:
    command = [*ALERTDRILL, "explain", str(drill.folder), drill.result["expectations"][2]["id"]]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"}, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("NOT_NOTIFIED nulls/FeatureNullRateHigh/3\n")
    assert "nobody is told within 12 s" in done.stdout
    assert "delivered to pager (pagerduty)" in done.stdout
    assert "delivered to mail (email to team@example.com)" in done.stdout
    assert "add a route to nobody that these labels match" in done.stdout


@pytest.mark.long
@pytest.mark.drill("held_back")
def test_our_silence_counts_as_accepted_and_what_others_hold_back_is_suppressed(drill: Drill) -> None:
    free, silenced, inhibited = drill.result["expectations"]
    assert outcomes(drill) == [
        ("detected", "accepted", None),
        ("not_notified", "suppressed", "suppressed"),
        ("not_notified", "suppressed", "suppressed"),
    ]
    assert free["notified_receivers"] == ["people"]
    assert "of alice" in silenced["reason"]["text"]
    assert "maintenance" in silenced["reason"]["text"]
    assert "the alert FeatureNullRateHigh{" in inhibited["reason"]["text"]


@pytest.mark.long
@pytest.mark.drill("held_back")
def test_people_are_told_nothing_of_a_drill_and_its_silence_is_over_with_it(drill: Drill) -> None:
    afterwards = json.loads((drill.folder.parents[2] / "afterwards.json").read_text())
    assert afterwards["told"] == []
    states = {one["createdBy"]: one["status"]["state"] for one in afterwards["silences"]}
    assert states == {"alice": "active", "alertdrill": "expired"}


@pytest.mark.parametrize(
    ("monitoring", "where", "said"),
    [
        ("alertmanager: {config: broken.yml}", "broken.yml:2", "undefined receiver"),
        ("alertmanager: {config: none.yml}", "none.yml", "no such file"),
        ("alertmanager: {config: routes.yml}", "scenario.yaml:12", "fix: write pager"),
        ("alertmanager: {url: 'http://127.0.0.1:9'}", "http://127.0.0.1:9", "cannot be reached: Connection refused"),
    ],
)
def test_what_cannot_be_used_ends_it_before_any_traffic(tmp_path: Path, monitoring: str, where: str, said: str) -> None:
    (tmp_path / "broken.yml").write_text("route:\n  receiver: pagr\nreceivers: [{name: pager}]\n")
    (tmp_path / "routes.yml").write_text(ROUTES)
    phases = NULLS.replace("within: 10s}", "within: 10s, notifies: {within: 12s, receiver: pagre}}")
    path = scenario(tmp_path, phases, f"monitoring: {{{monitoring}}}")
    command = [*ALERTDRILL, "run", path, "--results", str(tmp_path / "results")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2, done.stdout
    assert where in done.stdout
    assert said in done.stdout
    assert not (tmp_path / "results" / "control").exists()
