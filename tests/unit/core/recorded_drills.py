"""Drills whose load plays a log of the rows of `sample`."""

from typing import Any

import numpy as np
from drill import RULES, SCHEMA, read
from sample import sample

from alertdrill.core.choices import with_choices
from alertdrill.core.observations import RuleGroup
from alertdrill.core.payloads import spreads
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.core.scope import RuleBook, tail_ms
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.protocols.rows import Column, Rows

RECORDED = {"arrivals": "recorded", "log": {"file": "traffic.jsonl"}}


def numbered(count: int) -> Rows:
    """So many rows whose amounts are 1000, 1001, …"""
    rows = sample().take(np.arange(count) % len(sample()))
    amounts = Column(1000.0 + np.arange(count), np.zeros(count, dtype=np.uint8))
    return rows.with_column("amount", amounts)


def log(count: int = 1200, per_s: float = 20.0, rows: bool = True) -> TrafficLog:
    """So many lines, evenly spaced."""
    at_us = np.round(np.arange(count) / per_s * 1e6).astype(np.int64)
    return TrafficLog.of(at_us, numbered(count) if rows else None)


def recorded(*phases: dict[str, Any], **changes: Any) -> Scenario:
    """A scenario whose load is a log."""
    return read(*phases, **{"load": RECORDED, **changes})


def recorded_plan(scenario: Scenario, traffic: TrafficLog, rules: RuleGroup = RULES) -> Plan:
    """Its plan."""
    tail_s = tail_ms(scenario, RuleBook.of([rules]), 1000) / 1000
    segments, injections = make_segments(scenario, SCHEMA, tail_s, traffic)
    own = None if traffic.rows is None else spreads(sample())
    target = TargetPlan(name="fraud", version="1", schema=SCHEMA, sample_sha256="", spreads=own)
    plan = Plan(
        run_id="run", seed=scenario.seed, scenario_path="drill.yaml", scenario=scenario, target=target, rules=(),
        segments=segments, injections=injections,
    )  # fmt: skip
    return with_choices(plan, sample() if traffic.rows is None else traffic.rows)
