"""A log of traffic, read from its file and sent again: what arrives at a real server is the log."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from load_process import PHASE, SCHEMA, Target, loading, make_plan, serving

from alertdrill.adapters.traffic_log import read_log
from alertdrill.core.plan import Plan, make_segments
from alertdrill.core.scenario import Log, RecordedLoad
from alertdrill.protocols.csv_text import to_csv

LINES = 9000  # 45 s at 200/s, enough for both phases


def line(i: int, at_s: float, rng: np.random.Generator) -> dict[str, Any]:
    row: dict[str, Any] = {f"f{n}": None if (i + n) % 37 == 0 else round(float(rng.normal()), 6) for n in range(8)}
    row |= {"count": i, "colour": ["red", "green", 'grün, "mostly"'][i % 3]}
    return {"received": 1_790_000_000.25 + at_s, "body": {"rows": [row]}}


def recorded_plan(folder: Path, speed: float = 1.0) -> tuple[Plan, list[dict[str, Any]], np.ndarray[Any, Any]]:
    """A plan whose load plays a log, beside its plan.json and sample.csv; the log's rows and times, in order."""
    rng = np.random.default_rng(11)
    at_s = np.sort(np.round(rng.uniform(0, 45, LINES), 6))
    lines = [line(i, at, rng) for i, at in enumerate(at_s.tolist())]
    shuffled = [lines[i] for i in rng.permutation(LINES)]
    (folder / "traffic.jsonl").write_text("".join(json.dumps(one) + "\n" for one in shuffled))
    recorded = Log(file="traffic.jsonl", time="/received", features="/body/rows/0")
    traffic = read_log(folder / "load.yaml", recorded, SCHEMA)
    drawn = make_plan(folder, "100/s", faults=[{"kind": "noop", "features": ["count"], "share": "10%"}])
    load = RecordedLoad(arrivals="recorded", log=recorded, speed=speed)
    scenario = drawn.scenario.model_copy(update={"load": load})
    segments, injections = make_segments(scenario, SCHEMA, 5.0, traffic)
    assert traffic.rows is not None
    (folder / "sample.csv").write_text(to_csv(traffic.rows, SCHEMA), encoding="utf-8")
    target = drawn.target.model_copy(
        update={"sample_sha256": hashlib.sha256((folder / "sample.csv").read_bytes()).hexdigest()}
    )
    plan = drawn.model_copy(
        update={"scenario": scenario, "segments": segments, "injections": injections, "target": target}
    )
    (folder / "plan.json").write_text(plan.model_dump_json())
    return plan, [one["body"]["rows"][0] for one in lines], at_s - at_s[0]


async def play(folder: Path, k: int, lasts_s: float) -> tuple[Target, dict[str, Any], float]:
    async with serving(Target()) as target, loading(folder, target.url) as load:
        await load.saw("ready")
        begins = load.segment(k)
        await asyncio.sleep(lasts_s)
        await load.close(after_s=0.2)
    return target, load.of("closed")[0], begins


async def test_the_rows_of_a_log_arrive_in_its_order_at_its_times(tmp_path: Path) -> None:
    _, rows, at_s = recorded_plan(tmp_path)
    target, closed, begins = await play(tmp_path, PHASE, 1.5)
    count = closed["sent"]
    assert closed["scheduled"] == count > 250
    arrived = sorted(target.arrived, key=lambda request: request.i)
    assert [request.i for request in arrived] == list(range(count))
    assert [json.loads(request.body) for request in arrived] == rows[:count]
    late_s = np.array([request.at - begins for request in arrived]) - at_s[:count]
    assert late_s.min() > -0.002
    assert np.median(late_s) < 0.01


async def test_the_next_phase_goes_on_where_the_one_before_would_end(tmp_path: Path) -> None:
    plan, rows, at_s = recorded_plan(tmp_path)
    k = plan.phase_segment("broken").k
    target, closed, begins = await play(tmp_path, k, 1.0)
    first = int(np.searchsorted(at_s, 15.0))
    arrived = sorted(target.arrived, key=lambda request: request.i)
    assert closed["sent"] == len(arrived) > 150
    assert [json.loads(request.body) for request in arrived] == rows[first : first + len(arrived)]
    late_s = np.array([request.at - begins for request in arrived]) - (at_s[first : first + len(arrived)] - 15.0)
    assert late_s.min() > -0.002
    assert np.median(late_s) < 0.01


async def test_a_log_that_is_played_faster_comes_faster(tmp_path: Path) -> None:
    _, _, at_s = recorded_plan(tmp_path, speed=2.0)
    target, closed, begins = await play(tmp_path, PHASE, 1.0)
    arrived = sorted(target.arrived, key=lambda request: request.i)
    assert closed["sent"] == len(arrived) > 300
    assert [json.loads(request.body)["count"] for request in arrived] == list(range(len(arrived)))
    late_s = np.array([request.at - begins for request in arrived]) - at_s[: len(arrived)] / 2
    assert late_s.min() > -0.002
    assert np.median(late_s) < 0.01
