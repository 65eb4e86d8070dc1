"""Every kind of fault whose features the bundled model has, in real drills: delivered as planned, nothing breaks."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alertdrill.adapters.bundled import targets_dir
from alertdrill.core.faults.base import RowFault
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.faults.documentation import sections
from alertdrill.protocols.schema import Schema
from tests.e2e.drills import run

A_DRILL = 12
LONGER = {"replayed_rows": "9s"}  # what came 5 s before is there only then
SHARES = {"oversized_body": "5%", "black_hole": "10%"}  # 2 MB each; connections that stay open
DRILL_S = 240.0
SCHEMA = Schema.model_validate(yaml.safe_load((targets_dir() / "fraud" / "target.yaml").read_text())["schema"])


def examples() -> Iterator[dict[str, Any]]:
    """The documented example of every kind that can edit a feature of the bundled model."""
    present = {feature.kind for feature in SCHEMA.features}
    for kind, fault in sorted(KINDS.items()):
        if not issubclass(fault, RowFault) or fault.edits & present:
            (one,) = yaml.safe_load(sections(fault)["Example"])
            yield {**one, "share": SHARES.get(kind, "50%")}


def scenario(faults: tuple[dict[str, Any], ...], path: Path) -> str:
    phases = [{"name": one["kind"], "duration": LONGER.get(one["kind"], "5s"), "faults": [one]} for one in faults]
    text = {
        "version": 1, "name": "every-fault", "seed": 5, "target": {"bundled": "fraud"}, "load": {"rate": "60/s"},
        "phases": [{"name": "baseline", "duration": "5s"}, *phases], "false_alarms": "report",
        "monitoring": {"scope": {"alerts": ["NoSuchAlert"]}},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(text, sort_keys=False))
    return str(path)


@pytest.mark.timeout(DRILL_S * (len(KINDS) // A_DRILL + 1))
def test_every_kind_of_fault_is_delivered_as_planned(tmp_path: Path, keep: Callable[[Any], None]) -> None:
    figures: dict[str, Any] = {}
    every = tuple(examples())
    for number, start in enumerate(range(0, len(every), A_DRILL)):
        faults = every[start : start + A_DRILL]
        directory = tmp_path / str(number)
        directory.mkdir()
        drill = run(directory, scenario(faults, directory / "every.yaml")).ended()
        assert drill.exit_code == 0, drill.output
        for one in drill.result["faults"]:
            names = ("unit", "requests", "planned", "touched")
            figures[one["kind"]] = {name: one[name] for name in names}
        codes: dict[str, set[int]] = {}
        for record in drill.journal:
            if record["record"] == "served":
                codes.setdefault(record["injection"].split("/")[1], set()).update(record["code"])
        for kind, seen in codes.items():
            figures[kind]["codes"] = sorted(seen)
        keep({"kinds": figures, "delivered": sum(one["planned"] == one["touched"] > 0 for one in figures.values())})
    assert set(KINDS) - set(figures) == {"clock_offset", "future_timestamp", "wrong_date_format"}, json.dumps(figures)
    for kind, one in figures.items():
        assert one["planned"] > 0, kind
        assert one["touched"] >= 0.99 * one["planned"], (kind, one)
