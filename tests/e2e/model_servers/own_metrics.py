"""Drills of model servers by their own metrics: no monitor in front, rules on what each server says of itself."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from alertdrill.protocols.base import Protocol
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.oip_v2 import OipV2
from tests.e2e.model_servers.servers import BENTOML, FASTAPI, KSERVE, MLSERVER, Kind
from tests.e2e.model_servers.wines import write

RULES = """\
groups:
  - name: own
    rules:
      - {{alert: Refused, expr: '{refused} > 0.2'}}
      - {{alert: Broken, expr: '{broken} > 0.2'}}
      - {{alert: Slow, expr: 'histogram_quantile(0.8, sum by (le) (rate({duration}_bucket[5s]))) > 0.25'}}
"""
SCENARIO = """\
version: 1
name: own-metrics
target: {{url: {url}, schema: schema.json, sample: sample.csv, protocol: {protocol}}}
monitoring: {{monitor: {monitor}, rules: [rules.yml], scrape: [{{job: model, url: {metrics}}}]}}
load: {{rate: 20/s, arrivals: constant}}
phases:
  - {{name: baseline, duration: 6s}}
{phases}"""
NULLS = """\
  - name: nulls
    duration: 12s
    end_when: decided
    faults: [{{kind: nulls, features: [alcohol], share: 50%}}]
    expect: [{{alert: {raised}, within: 10s}}]
    must_not_fire: [{{alert: {quiet}}}]
"""
IN_FRONT = """\
  - name: in-front
    duration: 6s
    faults: [{kind: latency, delay: 600ms, share: 60%, place: edge}]
    expect: [{alert: Slow, within: 5s}]
"""
UPLOADS = """\
  - name: uploads
    duration: 12s
    end_when: decided
    faults: [{kind: slow_upload, over: 600ms, share: 60%, place: edge}]
    expect: [{alert: Slow, within: 10s}]
"""


@dataclass(frozen=True)
class OwnMetrics:
    """A server with what it says of itself.

    Attributes:
        protocol: how requests are written.
        path: of the endpoint.
        written: the protocol as a scenario has it.
        counted: name of the counter of answers.
        of: its label by which answers are told apart.
        refused, broken: expressions for the share of answers with 4xx, and 5xx.
        duration: name of the histogram of latencies.
        on_null: the alert that nulls raise.
        quiet: the one that they do not raise.
        endpoint: how the server's labels name the path, where that differs.
        ports_on: how many ports on from its own it shows its metrics.
    """

    kind: Kind
    protocol: Protocol
    path: str
    written: str
    counted: str
    of: str
    refused: str
    broken: str
    duration: str
    on_null: str
    quiet: str
    endpoint: str | None = None
    ports_on: int = 0

    def write(self, folder: Path, url: str, phases: Callable[["OwnMetrics"], str], monitor: str = "none") -> Path:
        """Schema, sample, rules and scenario in a folder; the path of the last."""
        write(folder, self.protocol, self.path)
        (folder / "rules.yml").write_text(
            RULES.format(refused=self.refused, broken=self.broken, duration=self.duration)
        )
        metrics = self.metrics_of(url)
        text = SCENARIO.format(url=url, metrics=metrics, protocol=self.written, phases=phases(self), monitor=monitor)
        (folder / "own.yaml").write_text(text)
        return folder / "own.yaml"

    def metrics_of(self, url: str) -> str:
        """Where a server shows its metrics."""
        host, _, port = url.rpartition(":")
        return f"{host}:{int(port) + self.ports_on}/metrics"

    def counts(self, url: str) -> Counter[str]:
        """How many answers of its endpoint the server has counted, by the label."""
        found: Counter[str] = Counter()
        for family in text_string_to_metric_families(httpx.get(self.metrics_of(url)).text):
            for sample in family.samples:
                endpoint = {sample.labels.get(name) for name in ("handler", "endpoint", "path")} - {None}
                if sample.name == self.counted and endpoint <= {self.endpoint or self.path}:
                    found[sample.labels[self.of]] += round(sample.value)
        return found


def nulls(server: OwnMetrics) -> str:
    """A phase of nulls, and what they raise."""
    return NULLS.format(raised=server.on_null, quiet=server.quiet)


def nulls_and_delays(server: OwnMetrics) -> str:
    """A phase of nulls, and one of answers held back in front of the server."""
    return nulls(server) + IN_FRONT


def every_phase(server: OwnMetrics) -> str:
    """The same, and one of bodies that come slowly, which a server notices itself if it begins to count before."""
    return nulls_and_delays(server) + UPLOADS


def _share(counter: str, endpoint: str, told_apart: str) -> str:
    return f"sum(rate({counter}{{{endpoint},{told_apart}}}[5s])) / sum(rate({counter}{{{endpoint}}}[5s]))"


_HTTP = ("http_requests_total", 'handler="/predict"')
_BENTO = ("bentoml_service_request_total", 'endpoint="/predict"')
ON_FASTAPI = OwnMetrics(
    kind=FASTAPI,
    protocol=Json(),
    path="/predict",
    written="json",
    counted="http_requests_total",
    of="status",
    refused=_share(*_HTTP, 'status="4xx"'),
    broken=_share(*_HTTP, 'status="5xx"'),
    duration="http_request_duration_highr_seconds",
    on_null="Refused",
    quiet="Broken",
)
ON_BENTOML = OwnMetrics(
    kind=BENTOML,
    protocol=Json(body={"row": "$row"}),
    path="/predict",
    written="{kind: json, body: {row: $row}}",
    counted="bentoml_service_request_total",
    of="http_response_code",
    refused=_share(*_BENTO, 'http_response_code=~"4.."'),
    broken=_share(*_BENTO, 'http_response_code=~"5.."'),
    duration="bentoml_service_request_duration_seconds",
    on_null="Refused",
    quiet="Broken",
)
_ML = ("rest_server_requests_total", 'path="/v2/models/{model_name}/infer"')
ON_MLSERVER = OwnMetrics(
    kind=MLSERVER,
    protocol=OipV2(parameters={"content_type": "pd"}),
    path="/v2/models/wine/infer",
    written="{kind: oip_v2, parameters: {content_type: pd}}",
    counted="rest_server_requests_total",
    of="status_code",
    refused=_share(*_ML, 'status_code=~"4.."'),
    broken=_share(*_ML, 'status_code=~"5.."'),
    duration="rest_server_request_duration_seconds",
    on_null="Broken",
    quiet="Refused",
    endpoint="/v2/models/{model_name}/infer",
    ports_on=2,
)
_PREDICTED, _ANSWERED = (f"sum(rate(request_{part}_seconds_count[5s]))" for part in ("predict", "postprocess"))
ON_KSERVE = OwnMetrics(
    kind=KSERVE,
    protocol=Instances(label=None, score="/scores/1"),
    path="/v1/models/wine:predict",
    written="{kind: instances, label: null, score: /scores/1}",
    counted="request_predict_seconds_count",
    of="model_name",
    refused="vector(0)",  # it counts nothing of what it refuses
    broken=f"1 - {_ANSWERED} / {_PREDICTED}",  # it counts no errors: what was predicted and never came to its end
    duration="request_predict_seconds",
    on_null="Broken",
    quiet="Refused",
)


def by_class(statuses: Mapping[str, int]) -> Counter[str]:
    """Answers by class, as prometheus-fastapi-instrumentator counts them."""
    return Counter(f"{status // 100}xx" for status in statuses.values())


def by_code(statuses: Mapping[str, int]) -> Counter[str]:
    """Answers by code."""
    return Counter(str(status) for status in statuses.values())
