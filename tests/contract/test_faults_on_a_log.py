"""Every fault of the catalogue on a load that plays a log instead of drawing rows."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from test_faults import SCHEMA, example, sample

from alertdrill.core.choices import with_choices
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.payloads import Payloads, spreads
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario.reading import read_scenario
from alertdrill.core.touch import Touch
from alertdrill.core.traffic_log import TrafficLog

LINES = 600


@cache
def log() -> TrafficLog:
    """30 s of rows of the sample, in another order."""
    rows = sample().take(np.random.default_rng(2).integers(0, len(sample()), LINES))
    return TrafficLog.of(np.arange(LINES) * 50_000, rows)


@cache
def plan_of(kind: str) -> Plan:
    reading = read_scenario(
        {
            "version": 1,
            "name": "log",
            "seed": 3,
            "target": {"bundled": "fraud"},
            "load": {"arrivals": "recorded", "log": {"file": "traffic.jsonl"}},
            "phases": [{"name": "one", "duration": "20s", "faults": [example(kind)]}],
        }
    )
    assert reading.scenario is not None, reading.findings
    segments, injections = make_segments(reading.scenario, SCHEMA, 5.0, log())
    rows = log().rows
    assert rows is not None
    target = TargetPlan(name="t", version="1", schema=SCHEMA, sample_sha256="", spreads=spreads(sample()))
    plan = Plan(
        run_id="r", seed=3, scenario_path="x", scenario=reading.scenario, target=target, rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip
    return with_choices(plan, rows)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fault_acts_on_the_rows_of_a_log_and_leaves_the_others_as_they_were(kind: str) -> None:
    plan, rows = plan_of(kind), log().rows
    assert rows is not None
    touch, k = Touch(plan), plan.phase_segment("one").k
    schedule, (injection,) = touch.schedule(k), plan.injections
    payloads = Payloads(plan, rows, touch)
    whole = payloads.block(k, 0, 150)
    parts = [payloads.block(k, start, stop) for start, stop in pairwise([0, 7, 64, 150])]
    assert [body for part in parts for body in part.bodies] == list(whole.bodies)
    clean = payloads.make(k, schedule.origin[:150], ()).bodies
    touched = touch.mask(injection, 0, 150)
    assert touch.mask(injection, 0, len(schedule)).any()
    untouched = (~touched).nonzero()[0].tolist()
    assert [whole.bodies[i] for i in untouched] == [clean[i] for i in untouched]
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
