"""Real model servers, joined by YAML alone: what each answers to each fault, and drills whose verdicts say so."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from alertdrill.protocols.base import Protocol
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from tests.e2e.drills import ALERTDRILL
from tests.e2e.model_servers.servers import MLFLOW, MLSERVER, serving
from tests.e2e.model_servers.wines import statuses, write

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

DRILL_S = 240.0
Format = Literal["dataframe_split", "dataframe_records", "inputs", "instances", "csv"]

SCENARIO = """\
version: 1
name: wines
target: {{url: {url}, schema: schema.json, sample: sample.csv, protocol: {protocol}}}
monitoring: {{rules: [rules.yml]}}
load: {{rate: 20/s, arrivals: constant}}
phases:
  - {{name: baseline, duration: 10s}}
  - name: nulls
    duration: 25s
    end_when: decided
    faults: [{{kind: nulls, features: [alcohol], share: 50%}}]
    expect:
      - {{alert: AlcoholMissing, within: 15s}}
      - {{alert: {raised}, within: 15s}}
    must_not_fire:
      - {{alert: {quiet}}}
"""
RULES = """\
groups:
  - name: wines
    rules:
      - alert: AlcoholMissing
        expr: >
          sum(rate(model_feature_values_total{feature="alcohol", cell=~"null|missing"}[5s]))
          / sum(rate(model_feature_values_total{feature="alcohol"}[5s])) > 0.2
      - alert: Refused
        expr: sum(rate(model_requests_total{code=~"4.."}[5s])) / sum(rate(model_requests_total[5s])) > 0.2
      - alert: Broken
        expr: sum(rate(model_requests_total{code=~"5.."}[5s])) / sum(rate(model_requests_total[5s])) > 0.2
"""


@dataclass(frozen=True)
class Joined:
    """A server with one of its models, as a scenario joins it."""

    url: str
    path: str
    protocol: str
    options: Protocol


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(MLSERVER, tmp_path_factory.mktemp("mlserver")) as url:
        yield url


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(MLFLOW, tmp_path_factory.mktemp("mlflow")) as url:
        yield url


OK = {"clean": 200, "numeric text": 200, "tenfold": 200}
MLSERVER_ONE = {**OK, "null": 500, "nan": 422, "text": 500, "truncated": 422, "empty": 422, "text/plain": 422}
MLSERVER_EACH = {**MLSERVER_ONE, "missing": 500, "extra": 500}
MLFLOW_CSV = {**OK, "null": 400, "nan": 400, "text": 400, "missing": 400, "empty": 400, "text/plain": 415}
MLFLOW_JSON = {**MLFLOW_CSV, "extra": 200, "truncated": 400}


@pytest.mark.parametrize(
    ("model", "protocol", "expected"),
    [
        ("wine", OipV2(tensors="one", name="predict"), MLSERVER_ONE),
        ("wine", OipV2(parameters={"content_type": "pd"}), MLSERVER_EACH),
        ("tolerant", OipV2(parameters={"content_type": "pd"}), {**MLSERVER_EACH, "null": 200}),
    ],
)
def test_what_mlserver_answers(
    mlserver: str, tmp_path: Path, model: str, protocol: Protocol, expected: dict[str, int]
) -> None:
    assert statuses(mlserver, write(tmp_path, protocol, f"/v2/models/{model}/infer")) == expected


@pytest.mark.parametrize("of", ["dataframe_split", "dataframe_records", "inputs", "instances", "csv"])
def test_what_mlflow_answers(mlflow: str, tmp_path: Path, of: Format) -> None:
    expected = MLFLOW_CSV if of == "csv" else MLFLOW_JSON
    assert statuses(mlflow, write(tmp_path, Mlflow(format=of), "/invocations")) == expected


def drilled(folder: Path, joined: Joined, raised: str, quiet: str) -> Any:
    """The result of a drill of half the values of a feature null."""
    write(folder, joined.options, joined.path)
    (folder / "rules.yml").write_text(RULES)
    scenario = SCENARIO.format(url=joined.url, protocol=joined.protocol, raised=raised, quiet=quiet)
    (folder / "wines.yaml").write_text(scenario)
    command = [*ALERTDRILL, "run", "wines.yaml", "--results", "results", "--json", "result.json"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=DRILL_S)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads((folder / "result.json").read_bytes())


def verdicts(result: Any) -> dict[str, str]:
    return {one["alert"]: one["verdict"] for one in result["expectations"]}


def test_nulls_break_mlserver_and_the_drill_says_so(mlserver: str, tmp_path: Path) -> None:
    options = OipV2(parameters={"content_type": "pd"})
    protocol = "{kind: oip_v2, parameters: {content_type: pd}}"
    result = drilled(tmp_path, Joined(mlserver, "/v2/models/wine/infer", protocol, options), "Broken", "Refused")
    assert verdicts(result) == {"AlcoholMissing": "detected", "Broken": "detected"}
    assert [one["verdict"] for one in result["prohibitions"]] == ["quiet"]


def test_nulls_are_refused_by_mlflow_and_the_drill_says_so(mlflow: str, tmp_path: Path) -> None:
    result = drilled(tmp_path, Joined(mlflow, "/invocations", "mlflow", Mlflow()), "Refused", "Broken")
    assert verdicts(result) == {"AlcoholMissing": "detected", "Refused": "detected"}
    assert [one["verdict"] for one in result["prohibitions"]] == ["quiet"]
