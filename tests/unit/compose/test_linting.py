import subprocess
import sys
from pathlib import Path

import pytest

from alertdrill.adapters.prometheus_binary import Search
from alertdrill.compose import linting
from alertdrill.compose.linting import Linted, lint_drill
from alertdrill.compose.options import Options

SCENARIO = """\
version: 1
name: own
target: {{url: "http://127.0.0.1:9", schema: schema.yaml, sample: sample.csv}}
monitoring: {monitoring}
load: {{rate: 20/s, arrivals: constant}}
phases:
  - {{name: baseline, duration: 5s}}
  - name: nulls
    duration: 20s
    faults: [{faults}]
    expect: [{{alert: {alert}, within: {within}}}]
"""
RULES = """\
groups:
  - name: own
    rules:
      - alert: NullsHigh
        expr: >
          sum by (feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))
          / sum by (feature) (rate(model_feature_values_total[5s])) > 0.1
        for: 2s
"""
SCHEMA = "features: [{name: amount, kind: number}, {name: country, kind: category}]\n"
HEAVY = ("gevent", "httpx", "joblib", "locust", "matplotlib", "pandas", "requests", "scipy", "sklearn")


@pytest.fixture(autouse=True)
def no_promtool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linting, "find_prometheus", lambda: Search(None, ()))


def linted(folder: Path, schema: str = SCHEMA, rules: str = RULES, **changes: str) -> Linted:
    values = {
        "monitoring": "{rules: [rules.yml]}",
        "faults": "{kind: nulls, features: [amount], share: 50%}",
        "alert": "NullsHigh",
        "within": "15s",
    }
    (folder / "schema.yaml").write_text(schema)
    (folder / "sample.csv").write_text("amount,country\n" + "1.5,RS\n2.5,CZ\n" * 50)
    (folder / "rules.yml").write_text(rules)
    (folder / "own.yaml").write_text(SCENARIO.format(**values | changes))
    return lint_drill(str(folder / "own.yaml"), Options())


def told(found: Linted) -> list[tuple[str | None, str]]:
    return [(one.file and Path(one.file).name, one.where) for one in found.mistakes]


def test_a_drill_without_mistakes_is_ok_although_nobody_answers_at_its_target(tmp_path: Path) -> None:
    found = linted(tmp_path)
    assert found.mistakes == ()
    assert len(found.unseen) == 1
    assert "promtool" in found.unseen[0]


def test_mistakes_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    found = linted(
        tmp_path,
        schema="features: [{name: amount, kind: nummer}]\n",
        rules=RULES.replace("> 0.1", "> > 0.1"),
    )
    assert told(found) == [("rules.yml", "groups[0].rules[0].expr"), ("schema.yaml", "features[0].kind")]


def test_unknown_alerts_and_features_are_said_together_with_the_nearest_name(tmp_path: Path) -> None:
    found = linted(tmp_path, alert="NulsHigh", faults="{kind: nulls, features: [amont], share: 50%}")
    assert told(found) == [("own.yaml", "phases[1].faults[0].features[0]"), ("own.yaml", "phases[1].expect[0].alert")]
    assert [one.fix for one in found.mistakes] == ["did you mean amount?", "did you mean NullsHigh?"]


def test_a_deadline_below_the_floor_is_refused_as_plan_refuses_it(tmp_path: Path) -> None:
    assert told(linted(tmp_path, within="1s")) == [("own.yaml", "phases[1].expect[0].within")]


def test_a_fault_that_the_protocol_cannot_carry_is_refused(tmp_path: Path) -> None:
    schema = "protocol: {kind: json, body: [$values]}\n" + SCHEMA
    found = linted(tmp_path, schema=schema, faults="{kind: missing_key, features: [amount], share: 50%}")
    assert told(found) == [("own.yaml", "phases[1].faults[0].kind")]


def test_two_faults_that_answer_at_one_place_are_in_each_others_way(tmp_path: Path) -> None:
    both = "{kind: http_error, share: 50%, place: model, id: a}, {kind: rate_limited, share: 50%, place: model, id: b}"
    found = linted(tmp_path, faults=both, alert="NullsHigh, fault: a")
    assert told(found) == [("own.yaml", "phases[1].faults[1].kind")]


def test_a_prometheus_of_ones_own_is_not_asked_and_that_is_said(tmp_path: Path) -> None:
    monitoring = '{prometheus: {url: "http://127.0.0.1:9"}}'
    found = linted(tmp_path, monitoring=monitoring, alert="Unknown", within="1s")
    assert found.mistakes == ()
    assert "alertdrill plan asks it" in found.unseen[0]
    found = linted(tmp_path, monitoring=monitoring, faults="{kind: nulls, features: [amont], share: 50%}")
    assert told(found) == [("own.yaml", "phases[1].faults[0].features[0]")]


def test_linting_imports_neither_load_nor_models_nor_http_clients() -> None:
    code = f"import alertdrill.cli.lint, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
