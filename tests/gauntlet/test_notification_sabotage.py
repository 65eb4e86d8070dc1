"""Notifications sabotaged amid a drill: none may pass, and nobody may be told."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.drills import Drill, Running, run
from tests.e2e.own_alertmanager import own_alertmanager
from tests.e2e.recipes import ALERT, NULLS, of_nulls

TOLD = NULLS.replace("within: 10s}", "within: 10s, notifies: {within: 12s}}")
MUTED = """\
route: {receiver: pager, group_by: ['...'], group_wait: 0s, routes: [{receiver: pager, mute_time_intervals: [always]}]}
receivers: [{name: pager, webhook_configs: [{url: 'http://pager.invalid'}]}]
time_intervals: [{name: always, time_intervals: [{years: ['2000:2100']}]}]
"""


def outcome(drill: Drill) -> tuple[str, str | None]:
    one = drill.expectation("nulls")
    return one["verdict"], (one["reason"] or {}).get("code")


def test_an_alertmanager_of_ours_that_is_killed_leaves_it_open(tmp_path: Path) -> None:
    running = run(tmp_path, of_nulls(tmp_path, TOLD, "alertmanager: managed"))
    running.wait_for("pending")
    running.kill_child("alertmanager")
    drill = running.ended()
    assert outcome(drill) == ("inconclusive", "query_failed")
    assert any(trouble.startswith("alertmanager_gone") for trouble in drill.result["troubles"])
    assert drill.exit_code == 3


def test_a_route_that_is_mute_delivers_nothing_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "mute.yml").write_text(MUTED)
    drill = run(tmp_path, of_nulls(tmp_path, TOLD, "alertmanager: {config: mute.yml}")).ended()
    assert outcome(drill) == ("not_notified", "not_delivered")
    assert "mute in always" in drill.expectation("nulls")["reason"]["text"]
    assert drill.exit_code == 1


def disturbed(directory: Path, do: Callable[[Running], None]) -> tuple[Drill, list[str], list[Any]]:
    """A drill with a team's own Alertmanager, disturbed while the alert fires; whom it told, and its silences."""

    async def drill() -> tuple[Drill, list[str], list[Any]]:
        async with own_alertmanager(ALERT, "Other", "Another") as own:
            path = of_nulls(directory, TOLD.replace("decided", "null"), f"alertmanager: {{url: {own.url}}}")
            running = await asyncio.to_thread(run, directory, path)
            await asyncio.to_thread(running.wait_for, "firing")
            do(running)
            ended = await asyncio.to_thread(running.ended)
            ours = [one for one in await own.silences() if one["createdBy"] == "alertdrill"]
            return ended, own.told, ours

    return asyncio.run(drill())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_who_is_interrupted_amid_an_alert_disturbs_nobody(tmp_path: Path, number: signal.Signals) -> None:
    drill, told, silences = disturbed(tmp_path, lambda running: running.signal(number))
    assert told == []
    active = [one for one in silences if one["status"]["state"] == "active"]
    (silence,) = active
    left_s = datetime.fromisoformat(silence["endsAt"]).timestamp() - time.time()
    # The Alertmanager holds an alert that is posted no more for 4 minutes; a drill that is killed had 10 at most.
    assert 60 < left_s < (300 if number is signal.SIGINT else 800)
    assert drill.exit_code == (130 if number is signal.SIGINT else -9)
    assert json.loads((drill.folder / "plan.json").read_text())["run_id"] in silence["comment"]
