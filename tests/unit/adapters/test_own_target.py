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
  headers: {headers}
monitoring: {{rules: [rules.yml]}}
load: {{rate: 10/s}}
phases: [{{name: baseline, duration: 5s}}]
"""
FEATURES = '[{"name": "amount", "kind": "number"}, {"name": "country", "kind": "category"}]'


async def prepared(
    folder: Path, protocol: str, path: str | None, monkeypatch: pytest.MonkeyPatch, headers: str = "{}"
) -> Schema:
    monkeypatch.setattr(target, "check_reachable", lambda *_: None)
    at = f'"path": "{path}", ' if path else ""
    (folder / "schema.json").write_text(f'{{{at}"features": {FEATURES}}}')
    (folder / "sample.csv").write_text("amount,country\n1.5,RS\n")
    (folder / "rules.yml").write_text("groups: []\n")
    (folder / "own.yaml").write_text(SCENARIO.format(protocol=protocol, headers=headers))
    scenario = load_scenario(folder / "own.yaml")
    return (await prepare_target(scenario, folder / "own.yaml", lambda _: None)).schema


async def test_the_scenario_says_which_protocol_the_endpoint_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = await prepared(tmp_path, "{kind: mlflow, format: csv}", None, monkeypatch)
    assert (schema.protocol, schema.path) == (Mlflow(format="csv"), "/invocations")
    assert (await prepared(tmp_path, "instances", "/p", monkeypatch)).path == "/p"


async def test_secrets_in_headers_are_named_and_in_no_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_SUCH_KEY", "s3cret")
    (tmp_path / "token").write_text("t0ken\n")
    headers = "{X-Api-Key: {env: NO_SUCH_KEY}, X-Team: fraud, Authorization: {file: token}}"
    await prepared(tmp_path, "json", "/p", monkeypatch, headers)
    scenario = load_scenario(tmp_path / "own.yaml")
    found = await prepare_target(scenario, tmp_path / "own.yaml", lambda _: None)
    assert found.headers == {"X-Team": "fraud"}
    assert found.all_headers == {"X-Team": "fraud", "X-Api-Key": "s3cret", "Authorization": "t0ken"}
    assert "s3cret" not in repr(found)
    assert "s3cret" not in scenario.model_dump_json()


async def test_a_secret_that_is_not_there_is_shown_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput) as caught:
        await prepared(tmp_path, "json", "/p", monkeypatch, "{X-Api-Key: {env: NO_SUCH_KEY}, B: {file: none}}")
    assert [(one.where, one.line) for one in caught.value.mistakes] == [
        ("target.headers.X-Api-Key", 8),
        ("target.headers.B", 8),
    ]
    assert caught.value.mistakes[0].fix == "export NO_SUCH_KEY before alertdrill is started"


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
