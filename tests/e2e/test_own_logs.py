"""What real model servers log, read as data: by the monitor beside them, and as traffic that is sent again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from alertdrill.adapters.traffic_log import read_log
from alertdrill.core.scenario import Log
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.rows import parse_csv
from tests.e2e.drills import Drill, run
from tests.e2e.model_servers.own_metrics import ON_BENTOML, ON_KSERVE
from tests.e2e.model_servers.servers import BENTOML, HERE, KSERVE, installed, serving
from tests.e2e.model_servers.wines import FEATURES, sample_csv, write
from tests.integration.monitor_process import running

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

LOG = Path("monitoring") / "wines" / "data" / "data.1.log"
STRONGER = """\
groups:
  - name: wines
    rules:
      - alert: Stronger
        expr: >
          sum(rate(model_feature_sum{feature="alcohol"}[5s]))
          / sum(rate(model_feature_count{feature="alcohol"}[5s])) > 14
"""
BESIDE = """\
version: 1
name: beside
target: {{url: {url}, schema: schema.json, sample: sample.csv, protocol: {protocol}}}
monitoring:
  monitor: none
  rules: [rules.yml]
  scrape: [{{job: model, url: {url}/metrics}}, {{job: monitor, url: {monitor}/metrics}}]
load: {load}
phases:
  - {{name: baseline, duration: 6s}}
  - name: stronger
    duration: 15s
    end_when: decided
    faults: [{{kind: mean_shift, features: [alcohol], by: 3sd, share: 100%}}]
    expect: [{{alert: Stronger, within: 12s}}]
"""


@contextmanager
def beside(folder: Path, log: Path) -> Iterator[str]:
    """The monitor, following what BentoML logs; its address."""
    described = ["--schema", str(folder / "schema.json"), "--reference", str(folder / "sample.csv")]
    follows = ["--tail", str(log), "--tail-inputs", "", "--tail-outputs", "", "--protocol", "json"]
    with running(["-m", "alertdrill.lifeline", "-m", "alertdrill.monitor", *described, *follows]) as monitor:
        yield f"http://127.0.0.1:{monitor.port}"


def drilled(folder: Path, url: str, monitor: str, load: str) -> Drill:
    (folder / "rules.yml").write_text(STRONGER)
    text = BESIDE.format(url=url, protocol=ON_BENTOML.written, monitor=monitor, load=load)
    (folder / "beside.yaml").write_text(text)
    return run(folder, str(folder / "beside.yaml")).ended()


def test_what_bentoml_logs_is_watched_by_a_monitor_beside_it_and_sent_again(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.mkdir()
    with serving(BENTOML, server) as url:
        schema = write(tmp_path, ON_BENTOML.protocol, ON_BENTOML.path)
        rows = parse_csv(sample_csv(), schema)
        for body in encode(rows.take(np.arange(20)), schema):
            httpx.post(url + ON_BENTOML.path, content=body, headers={"Content-Type": "application/json"})
        with beside(tmp_path, server / LOG) as monitor:
            drill = drilled(tmp_path, url, monitor, "{rate: 20/s, arrivals: constant}")
            assert drill.expectation("stronger")["verdict"] == "detected", drill.output
            assert drill.exit_code == 0
            seen = httpx.get(f"{monitor}/metrics").text
        assert 'outcome="bad_json"} 0' in seen
        again = tmp_path / "again"
        again.mkdir()
        write(again, ON_BENTOML.protocol, ON_BENTOML.path)
        (again / "wines.log").write_bytes((server / LOG).read_bytes())
        with beside(again, server / LOG) as monitor:
            log = f"{{file: wines.log, time: timestamp, zone: '{datetime.now().astimezone():%z}'}}"
            log = log.replace("00'}", ":00'}")
            drill = drilled(again, url, monitor, f"{{arrivals: recorded, log: {log}}}\nfalse_alarms: report")
        assert drill.expectation("stronger")["verdict"] == "detected", drill.output
        assert drill.result["load"]["failed"] == 0


def test_events_that_the_library_of_kserve_writes_are_sent_again(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    subprocess.run([installed(KSERVE), HERE / "events_kserve.py", file, "20"], check=True, timeout=120)
    schema = write(tmp_path, ON_KSERVE.protocol, ON_KSERVE.path)
    log = read_log(tmp_path / "none.yaml", Log(file="events.jsonl", format="cloudevents"), schema)
    wines = parse_csv(sample_csv(), schema)
    assert log.rows is not None
    for feature in FEATURES:
        assert np.allclose(log.rows.columns[feature.name].values, wines.columns[feature.name].values)
    assert log.length_s == pytest.approx(len(wines) / 20, abs=0.01)
    assert log.notes[-1] == f"events.jsonl: {len(wines)} events hold no request and are left out"
