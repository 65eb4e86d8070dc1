"""`alertdrill init --prometheus` against a real one: what is proposed for the rules that it has loaded."""

import asyncio
from pathlib import Path

from joined_server import answering

from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.alerting.rule_file import rule_file
from alertdrill.compose.init import join_model
from alertdrill.compose.wish import Wish
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

WATCHDOG = """
groups:
  - name: others
    rules:
      - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
      - {alert: DiskFull, expr: node_filesystem_avail_bytes < 1e9, labels: {severity: P1}}
"""
SCHEMA = Schema(protocol=Json(), features=(Feature(name="amount", kind=FeatureKind.NUMBER),))


def test_each_loaded_alert_gets_a_fault_or_a_reason(binaries: Binaries, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(rule_file(SCHEMA, "drill"))
    (tmp_path / "others.yml").write_text(WATCHDOG)
    (tmp_path / "day.csv").write_text("amount\n" + "".join(f"{n % 7}.5\n" for n in range(100)))
    with asyncio.Runner() as runner, answering({}) as server:
        files = [tmp_path / "own.yml", tmp_path / "others.yml"]
        prometheus = runner.run(start_prometheus(binaries.prometheus.path, rule_files=files))
        try:
            written = join_model(
                Wish(
                    server.url + "/predict",
                    tmp_path / "out",
                    tmp_path / "day.csv",
                    protocol="json",
                    prometheus=prometheus.url,
                )
            )
        finally:
            runner.run(prometheus.stop())
    assert written.mistakes == ()
    scenario = load_scenario(tmp_path / "out" / "own-rules.yaml")
    found = {one.alert: phase.faults[0].kind for phase in scenario.phases for one in phase.expect}
    assert found == {
        "FeatureDrift": "mean_shift",
        "FeatureNullRateHigh": "nulls",
        "MalformedRequestsHigh": "malformed_json",
        "PredictionLatencyHigh": "slow_upload",
        "ErrorRateHigh": "wrong_type",
        "NoTraffic": "traffic_loss",
    }
    left = {note.split(":")[0] for note in written.notes if "no fault proposed" in note}
    assert left == {"ModelDown", "MonitorDown", "Watchdog", "DiskFull"}
