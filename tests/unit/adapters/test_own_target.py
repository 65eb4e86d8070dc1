from pathlib import Path

import pytest

from alertdrill.adapters import target
from alertdrill.adapters.target import prepare_target
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.core.errors import BadInput
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.schema import Schema

SCENARIO = """\
version: 1
name: own
target:
  url: http://127.0.0.1:9
  schema: schema.json
  sample: sample.csv
  protocol: {protocol}
monitoring: {{rules: [rules.yml]}}
load: {{rate: 10/s}}
phases: [{{name: baseline, duration: 5s}}]
"""
FEATURES = '[{"name": "amount", "kind": "number"}, {"name": "country", "kind": "category"}]'


async def prepared(folder: Path, protocol: str, path: str | None, monkeypatch: pytest.MonkeyPatch) -> Schema:
    monkeypatch.setattr(target, "check_reachable", lambda *_: None)
    at = f'"path": "{path}", ' if path else ""
    (folder / "schema.json").write_text(f'{{{at}"features": {FEATURES}}}')
    (folder / "sample.csv").write_text("amount,country\n1.5,RS\n")
    (folder / "rules.yml").write_text("groups: []\n")
    (folder / "own.yaml").write_text(SCENARIO.format(protocol=protocol))
    scenario = load_scenario(folder / "own.yaml")
    return (await prepare_target(scenario, folder / "own.yaml", lambda _: None)).schema


async def test_the_scenario_says_which_protocol_the_endpoint_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = await prepared(tmp_path, "{kind: mlflow, format: csv}", None, monkeypatch)
    assert (schema.protocol, schema.path) == (Mlflow(format="csv"), "/invocations")
    assert (await prepared(tmp_path, "instances", "/p", monkeypatch)).path == "/p"


async def test_a_protocol_that_does_not_fit_the_schema_is_shown_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput) as caught:
        await prepared(tmp_path, "{kind: oip_v2, tensors: one}", "/v2/models/m/infer", monkeypatch)
    (mistake,) = caught.value.mistakes
    assert (mistake.where, mistake.line, mistake.fix) == ("target.protocol.tensors", 7, "write tensors: each")
    with pytest.raises(BadInput) as caught:
        await prepared(tmp_path, "oip_v2", None, monkeypatch)
    (mistake,) = caught.value.mistakes
    assert mistake.file == str(tmp_path / "schema.json")
    assert (mistake.where, mistake.fix) == ("path", "add path: /v2/models/MODEL/infer")
