import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.drills import ALERTDRILL, Drill, Drills

pytestmark = pytest.mark.drill("seed")


def straightforward_instants(samples: Any, alert: str, after_ms: int) -> tuple[int, int, int]:
    """Pending, firing and resolved of an alert's first episode after an instant, read sample by sample."""
    states: dict[int, str] = {}
    for series in samples["series"]:
        labels = series["labels"]
        if (
            labels["__name__"] == "ALERTS"
            and labels["alertname"] == alert
            and labels.get("feature", "amount") == "amount"
        ):
            now = 0
            for step, value in zip(samples["times"][series["t"]], series["v"], strict=True):
                now += step
                if now > after_ms and value != "stale":
                    states[now] = labels["alertstate"]
    times = sorted(states)
    pending = times[0]
    firing = next(t for t in times if states[t] == "firing")
    last = pending
    while last + 1000 in states:
        last += 1000
    return pending, firing, last + 1000


def test_every_fault_is_detected_and_nothing_else_happens(drill: Drill) -> None:
    result = drill.result
    assert [one["verdict"] for one in result["expectations"]] == ["detected"] * 4, drill.output
    assert result["false_alarms"] == []
    assert (result["verdict"], drill.exit_code) == ("passed", 0)


def test_every_ttd_lies_between_its_floor_and_its_worst(drill: Drill) -> None:
    for one in drill.result["expectations"]:
        assert one["floor_s"] <= one["ttd_s"] <= one["worst_s"], one["id"]


def test_instants_agree_with_an_independent_reading_to_the_millisecond(drill: Drill) -> None:
    for one in drill.result["expectations"]:
        pending, firing, resolved = straightforward_instants(
            drill.samples, one["alert"], round(one["fault_start"] * 1000)
        )
        assert (pending, firing, resolved) == tuple(
            round(one[name] * 1000) for name in ("pending_at", "firing_at", "resolved_at")
        )
        assert one["ttd_s"] == pytest.approx(firing / 1000 - one["fault_start"], abs=0.001)


def test_hops_add_up_to_the_time_to_detect(drill: Drill) -> None:
    for one in drill.result["expectations"]:
        milliseconds = [round(hop["seconds"] * 1000) for hop in one["waterfall"]]
        assert sum(milliseconds) == round(one["ttd_s"] * 1000)
        assert min(milliseconds) >= 0
        assert [hop["hop"] for hop in one["waterfall"]] == ["served", "crossed", "pending", "firing"]


def test_the_journal_accounts_for_every_touched_unit(drill: Drill) -> None:
    for fault in drill.result["faults"]:
        assert fault["touched"] == fault["planned"] > 0


def test_firing_instants_agree_with_the_posts_of_the_engine(drill: Drill) -> None:
    posts = [record for record in drill.journal if record["record"] == "post" and record["status"] == "firing"]
    for one in drill.result["expectations"]:
        starts = {post["starts_at_ms"] for post in posts if post["labels"]["alertname"] == one["alert"]}
        assert round(one["firing_at"] * 1000) in starts


def test_checking_again_without_result_and_prometheus_gives_the_same_bytes(drill: Drill, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(drill.folder, copy)
    before = (copy / "result.json").read_bytes()
    (copy / "result.json").unlink()
    done = subprocess.run([*ALERTDRILL, "check", str(copy)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert (copy / "result.json").read_bytes() == before


def test_two_runs_with_one_seed_send_the_same_bytes(drill: Drill, drills: Drills) -> None:
    first, second = drill.result["load"]["payload_sha256"], drills.get("rule_deleted").result["load"]["payload_sha256"]
    common = [(a[:-1], b[:-1]) for a, b in zip(first, second, strict=True)]
    compared = [pair for a, b in common for pair in zip(a, b, strict=False)]
    assert len(compared) >= 5
    assert all(a == b for a, b in compared)
