"""Rows drawn, faulted and encoded a second on one core, beside the naive way, and what each kind of fault costs.

    python benchmarks/payloads.py [--quick] [--json FILE]

Both ways make the bodies of the same drill: rows of a sample of 10 numeric features, two faults (20% nulls, a mean
shift in every row). The naive way is what a load script does: copy a dict, change it, json.dumps it. They run in turns
in one process; figures are CPU time (process_time), the best of the rounds, so that a busy machine slows both alike.
"""

import json
import random
import time
from collections.abc import Callable, Mapping

import numpy as np
import yaml
from pydantic import TypeAdapter
from support import figures as figures_file

from alertdrill.core.choices import with_choices
from alertdrill.core.faults.base import ArrivalFault, ExchangeFault, Fault
from alertdrill.core.faults.catalogue import KINDS, FaultSpec
from alertdrill.core.faults.documentation import sections
from alertdrill.core.payloads import Payloads
from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario.reading import read_scenario
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.rows import Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

BATCH = 1000
SAMPLE = 5000
PHASE = 2
NUMBERS = tuple(f"x{i}" for i in range(10))
TWO_FAULTS = [
    {"kind": "nulls", "features": ["x0"], "share": 0.2},
    {"kind": "mean_shift", "features": ["x1"], "by": "1sd", "share": 1},
]
# Where the example of a fault's page edits a feature that a numeric target lacks, the cost is taken on this one.
OTHERS = {
    "amount": FeatureKind.NUMBER,
    "distance_km": FeatureKind.NUMBER,
    "amount_24h": FeatureKind.NUMBER,
    "hour": FeatureKind.INTEGER,
    "transactions_1h": FeatureKind.INTEGER,
    "country": FeatureKind.CATEGORY,
    "device": FeatureKind.CATEGORY,
    "merchant": FeatureKind.CATEGORY,
    "merchant_category": FeatureKind.CATEGORY,
    "card_id": FeatureKind.CATEGORY,
    "sent_at": FeatureKind.TIMESTAMP,
}


# Every way to write a row, beside the flat object of `json`.
PROTOCOLS: Mapping[str, Protocol] = {
    "json_wrapped": Json(body={"row": "$row"}),
    "json_values": Json(body=["$values"]),
    "oip_v2_each": OipV2(),
    "oip_v2_one": OipV2(tensors="one"),
    "instances": Instances(),
    "instances_columns": Instances(rows="columns", signature_name="serving_default"),
    "mlflow_split": Mlflow(),
    "mlflow_csv": Mlflow(format="csv"),
}


def schema_of(kinds: Mapping[str, FeatureKind], protocol: Protocol = Json()) -> Schema:  # noqa: B008 (frozen)
    features = tuple(Feature(name=name, kind=kind) for name, kind in kinds.items())
    return Schema(protocol=protocol, path="/predict", features=features, label="label")


def sample_of(kinds: Mapping[str, FeatureKind]) -> Rows:
    generator = np.random.default_rng(3)
    cells = np.zeros(SAMPLE, dtype=np.uint8)

    def column(kind: FeatureKind) -> Column:
        if kind is FeatureKind.CATEGORY:
            return Column(np.array(["DE", "FR", "café", "CH"], dtype=object)[generator.integers(0, 4, SAMPLE)], cells)
        if kind is FeatureKind.TIMESTAMP:
            return Column(np.sort(generator.uniform(1.79e9, 1.8e9, SAMPLE)).round(3), cells)
        values = np.round(generator.lognormal(3, 1, SAMPLE), 2)
        return Column(values if kind is FeatureKind.NUMBER else np.floor(values), cells)

    labels = np.array(["0", "1"], dtype=object)[(generator.random(SAMPLE) < 0.1).astype(int)]
    return Rows({name: column(kind) for name, kind in kinds.items()}, labels)


def payloads(
    faults: list[dict[str, object]],
    kinds: Mapping[str, FeatureKind],
    requests: int,
    protocol: Protocol = Json(),  # noqa: B008 (frozen)
) -> Payloads:
    phases = [{"name": "faulted", "duration": f"{requests / 100:g}s", "faults": faults}]
    reading = read_scenario(
        {
            "version": 1, "name": "benchmark", "target": {"bundled": "fraud"}, "phases": phases,
            "load": {"rate": "100/s", "arrivals": "constant"}, "limits": {"max_duration": "1000h"},
        }
    )  # fmt: skip
    assert reading.findings == ()
    assert reading.scenario is not None
    schema, sample = schema_of(kinds, protocol), sample_of(kinds)
    segments, injections = make_segments(reading.scenario, schema, 1.0)
    target = TargetPlan(name="t", version="1", schema=schema, sample_sha256="")
    plan = Plan(
        run_id="r", seed=1, scenario_path="x", scenario=reading.scenario, target=target, rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip
    return Payloads(with_choices(plan, sample), sample)


def ours(builder: Payloads, rows: int) -> Callable[[], int]:
    def run() -> int:
        return sum(len(builder.block(PHASE, start, start + BATCH).bodies) for start in range(0, rows, BATCH))

    return run


def naive(sample: Rows, rows: int) -> Callable[[], int]:
    columns = {name: column.values.tolist() for name, column in sample.columns.items()}
    pool = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    sd = float(sample.columns["x1"].values.std(ddof=1))

    def run() -> int:
        generator = random.Random(1)
        bodies = []
        for _ in range(rows):
            row = dict(generator.choice(pool))
            if generator.random() < 0.2:
                row["x0"] = None
            row["x1"] += sd
            bodies.append(json.dumps(row).encode())
        return len(bodies)

    return run


def seconds(run: Callable[[], int]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def example(fault: type[Fault]) -> dict[str, object]:
    (one,) = yaml.safe_load(sections(fault)["Example"])
    return {**one, "share": 1}


def effects(fault: ExchangeFault, count: int) -> Callable[[], int]:
    def run() -> int:
        return len([fault.effect(0.5, 1.0) for _ in range(count)])

    return run


def costs(rows: int, rounds: int) -> dict[str, float]:
    """CPU microseconds that a kind adds to every touched request, beside the same requests without it."""
    clean = payloads([{"kind": "noop", "features": ["amount"], "share": 0}], OTHERS, rows)
    result = {}
    for kind, fault in sorted(KINDS.items()):
        if issubclass(fault, ExchangeFault):
            one: ExchangeFault = TypeAdapter(FaultSpec).validate_python(example(fault))
            result[kind] = min(seconds(effects(one, rows)) for _ in range(rounds)) / rows
        elif not issubclass(fault, ArrivalFault):
            builder = payloads([example(fault)], OTHERS, rows)
            pairs = [(seconds(ours(builder, rows)), seconds(ours(clean, rows))) for _ in range(rounds)]
            result[kind] = (min(with_it for with_it, _ in pairs) - min(without for _, without in pairs)) / rows
    return {kind: round(cost_s * 1e6, 3) for kind, cost_s in result.items()}


def main() -> None:
    options = figures_file.options(__doc__)
    rows, rounds = (20_000, 3) if options.quick else (100_000, 7)
    numeric = dict.fromkeys(NUMBERS, FeatureKind.NUMBER)
    builder = payloads(TWO_FAULTS, numeric, rows)
    ways = [ours(builder, rows), naive(sample_of(numeric), rows // 4)]
    turns = [[seconds(way) for way in ways] for _ in range(rounds)]
    rows_per_s = rows / min(turn[0] for turn in turns)
    naive_per_s = rows // 4 / min(turn[1] for turn in turns)
    ratios = sorted((rows / turn[0]) / (rows // 4 / turn[1]) for turn in turns)
    others = {name: payloads(TWO_FAULTS, numeric, rows, protocol) for name, protocol in PROTOCOLS.items()}
    by_protocol = {
        name: rows / min(seconds(ours(other, rows)) for _ in range(rounds)) for name, other in others.items()
    }
    by_kind = costs(rows // 10, rounds)
    print(f"alertdrill {rows_per_s:10,.0f} rows/s")
    print(f"naive      {naive_per_s:10,.0f} rows/s")
    for name, per_s in by_protocol.items():
        print(f"  {name:20} {per_s:10,.0f} rows/s")
    median = ratios[len(ratios) // 2]
    print(f"ratio      {median:10.2f} (median of {rounds} turns, {ratios[0]:.2f} to {ratios[-1]:.2f})")
    for kind, cost_us in by_kind.items():
        print(f"  {kind:24} {cost_us:8.3f} us a touched request")
    figures = {
        "rows_per_s": round(rows_per_s),
        "naive_rows_per_s": round(naive_per_s),
        "ratio": round(median, 2),
        **{f"rows_per_s_{name}": round(per_s) for name, per_s in by_protocol.items()},
        **{f"cost_{kind}_us": cost_us for kind, cost_us in by_kind.items()},
    }
    figures_file.write(options.json, figures, {"numpy": np.__version__})


if __name__ == "__main__":
    main()
