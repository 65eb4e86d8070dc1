"""A model server that a command starts: its processes are halted by faults, and none outlives the drill."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.drills import ALERTDRILL, Drill, run
from tests.e2e.marked_drill import eventually

SERVER = Path(__file__).parents[1] / "integration" / "tiny_server.py"
GONE_S = 8.0
RULES = """
groups:
  - name: own
    rules:
      - {alert: ModelDown, expr: 'up{job="model"} == 0', for: 1s}
      - {alert: Quiet, expr: 'rate(scored_total[3s]) < 1'}
      - {alert: Gone, expr: 'absent(scored_total)'}
"""
SCENARIO = """
version: 1
name: own-process
seed: 3
target:
  command: "{python} {server} {{port}} {pids} {options}"
  ready: {ready}
  ready_timeout: 5s
  metrics: /metrics
  schema: schema.json
  sample: sample.csv
monitoring: {{monitor: none, rules: [rules.yml]}}
load: {{rate: 10/s}}
phases:
  - {{name: baseline, duration: 2s}}
  - name: paused
    duration: 12s
    faults: [{{kind: pause}}]
    expect: [{{alert: ModelDown, within: 10s, resolves_within: 10s}}]
  - name: killed
    duration: 10s
    faults: [{{kind: kill}}]
    expect: [{{alert: Quiet, within: 8s}}, {{alert: Gone, within: 8s, resolves_within: 10s}}]
"""
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are halted on Linux"),
]


def scenario(folder: Path, *options: str, ready: str = "/health") -> str:
    """Write what a drill of the tiny server needs; the path of its scenario."""
    (folder / "pids").mkdir()
    (folder / "rules.yml").write_text(RULES)
    (folder / "schema.json").write_text(json.dumps({"path": "/p", "features": [{"name": "x", "kind": "number"}]}))
    (folder / "sample.csv").write_text("x\n" + "\n".join(f"{n / 10}" for n in range(100)) + "\n")
    path, words = folder / "own.yaml", " ".join(options)
    said = {"python": sys.executable, "server": SERVER, "pids": folder / "pids", "options": words, "ready": ready}
    path.write_text(SCENARIO.format(**said))
    return str(path)


def programs(folder: Path) -> list[int]:
    """The server's processes that still run."""
    return [int(one.name) for one in (folder / "pids").iterdir() if psutil.pid_exists(int(one.name))]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    folder = tmp_path_factory.mktemp("own")
    return run(folder, scenario(folder, "--workers", "2", "--ignore-term"), "--allow-commands").ended()


def test_a_pause_is_seen_by_up_and_over_when_every_process_goes_on(drill: Drill) -> None:
    one = drill.expectation("paused")
    assert (one["verdict"], one["resolution"]) == ("detected", "resolved"), drill.output
    assert sum(hop["seconds"] for hop in one["waterfall"]) == pytest.approx(one["ttd_s"], abs=1e-6)
    (begun, over) = [one for one in drill.journal if one["record"] == "halted" and "paused" in one["injection"]]
    assert len(begun["pids"]) == 3
    assert begun["from_at"] < over["until_at"]
    assert one["fault_start"] == pytest.approx(begun["from_at"], abs=0.05)


def test_of_a_killed_server_a_rate_says_nothing_and_absent_does(drill: Drill) -> None:
    quiet, gone = [one for one in drill.result["expectations"] if one["phase"] == "killed"]
    assert (quiet["verdict"], gone["verdict"]) == ("missed", "detected"), drill.output
    assert "series of the server vanish with it" in quiet["reason"]["text"]
    assert drill.exit_code == 1


def test_what_it_said_is_kept_and_judging_again_gives_the_same(drill: Drill) -> None:
    assert (drill.folder / "target.log").read_text().count("tiny server begins") == 2
    before = (drill.folder / "result.json").read_bytes()
    check = subprocess.run([*ALERTDRILL, "check", str(drill.folder)], capture_output=True, text=True, check=False)
    assert check.returncode == 1, check.stdout + check.stderr
    assert (drill.folder / "result.json").read_bytes() == before


def test_workers_that_ignore_sigterm_are_ended_too(drill: Drill) -> None:
    folder = drill.folder.parents[2]
    assert eventually(lambda: programs(folder) == [], GONE_S)


def test_of_a_drill_that_is_killed_while_its_target_is_paused_nothing_is_left(tmp_path: Path) -> None:
    running = run(tmp_path, scenario(tmp_path, "--workers", "2"), "--allow-commands")
    running.wait_for("ModelDown pending")
    paused = [psutil.Process(pid) for pid in programs(tmp_path)]
    assert {one.status() for one in paused} == {psutil.STATUS_STOPPED}
    running.signal(signal.SIGKILL)
    assert running.ended().exit_code == -signal.SIGKILL
    assert eventually(lambda: programs(tmp_path) == [], GONE_S)


def test_a_server_that_never_serves_ends_the_drill_with_its_last_lines(tmp_path: Path) -> None:
    began = time.monotonic()
    drill = run(tmp_path, scenario(tmp_path, ready="/never"), "--allow-commands").ended()
    assert drill.exit_code == 3, drill.output
    assert "tiny server begins" in drill.output
    assert "did not answer 2xx at /never" in drill.output
    assert time.monotonic() - began < 60.0
    assert programs(tmp_path) == []
