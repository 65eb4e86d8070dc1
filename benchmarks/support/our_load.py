"""Our own load process as a benchmark drives it: a plan in a folder, commands in, events out, CPU time from outside."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from alertdrill.adapters.load import launch
from alertdrill.core.choices import with_choices
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.protocols.rows import parse_csv
from alertdrill.protocols.schema import Schema

NUMBERS = tuple(f"x{i}" for i in range(10))
SCHEMA = Schema.model_validate({"path": "/predict", "features": [{"name": n, "kind": "number"} for n in NUMBERS]})
FAULTS = (
    {"kind": "nulls", "features": ["x0"], "share": "20%"},
    {"kind": "mean_shift", "features": ["x1"], "by": "1sd", "share": "100%"},
)
STEADY, PHASE = 0, 2
LIMIT_S = 30.0


def write_sample(path: Path, rows: int = 5000) -> None:
    """Ten numeric features, as payment data has them."""
    generator = np.random.default_rng(3)
    values = np.round(generator.lognormal(3, 1, (rows, len(NUMBERS))), 2)
    lines = [",".join(NUMBERS), *(",".join(str(value) for value in row) for row in values.tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_plan(
    folder: Path, rate_per_s: float, duration_s: float, faults: Sequence[Mapping[str, object]], arrivals: str
) -> Plan:
    """A plan with one phase after its steady state, and plan.json and sample.csv for the load."""
    sample = folder / "sample.csv"
    write_sample(sample)
    own = {"name": "load", "duration": f"{duration_s}s", "faults": list(faults)}
    if rate_per_s > 100:
        own["load"] = {"rate": f"{rate_per_s}/s"}  # the steady state before it stays short
    scenario = Scenario.model_validate(
        {
            "version": 1,
            "name": "benchmark",
            "seed": 42,
            "target": {"bundled": "fraud"},
            "load": {"rate": "100/s", "arrivals": arrivals},
            "limits": {"max_rate": "10000000/s", "max_duration": "1h"},
            "phases": [{"name": "first", "duration": "1s"}, own] if not faults else [own],
        }
    )
    segments, injections = make_segments(scenario, SCHEMA, tail_s=1.0)
    target = TargetPlan(
        name="benchmark",
        version="1",
        schema_=SCHEMA,
        sample_sha256=hashlib.sha256(sample.read_bytes()).hexdigest(),
    )
    plan = Plan(
        run_id="benchmark",
        seed=42,
        scenario_path="benchmark.yaml",
        scenario=scenario,
        target=target,
        rules=(),
        segments=segments,
        injections=injections,
    )
    plan = with_choices(plan, parse_csv(sample.read_text(), SCHEMA))
    (folder / "plan.json").write_text(plan.model_dump_json())
    return plan


class OurLoad:
    """A load process that runs.

    Attributes:
        events: what it said so far.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.events: list[dict[str, Any]] = []
        self.started_at = time.time()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"}\n"):  # the last is cut short when the process is killed
                self.events.append(json.loads(line))

    def do(self, **command: object) -> None:
        """Send a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def segment(self, k: int, after_s: float = 0.2) -> float:
        """Announce a segment; wall time of its start."""
        at = time.time() + after_s
        self.do(do="segment", k=k, at=at)
        return at

    def saw(self, event: str, k: int | None = None, within_s: float = LIMIT_S) -> dict[str, Any]:
        """Wait for an event.

        Raises:
            TimeoutError: it did not come.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and self._process.poll() is None:
            for one in self.events:
                if one["event"] == event and k in (None, one.get("k")):
                    return one
            time.sleep(0.005)
        raise TimeoutError(f"no {event} of {k}: {[e for e in self.events if e['event'] in ('failed', 'closed')]}")

    def cpu_s(self) -> float:
        """CPU seconds so far, all threads."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def loading(folder: Path, url: str, core: int | None = 1, **options: Any) -> Iterator[OurLoad]:
    """Start the load of the plan in a folder, on one core."""
    arguments = launch.LoadArguments(plan=folder / "plan.json", sample=folder / "sample.csv", url=url, **options)
    command = [sys.executable, "-m", "alertdrill.lifeline", *launch.argv(arguments)]
    with (folder / "load.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env={**os.environ, **launch.environment(arguments)},
        )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    load = OurLoad(process)
    try:
        load.saw("ready")
        yield load
    finally:
        process.kill()
        process.wait()
