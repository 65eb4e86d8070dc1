"""A real HTTP server that answers as Grafana's API for Prometheus-compatible rules does, by its documentation.

Not a Grafana, which cannot be run here: what it answers is written down from `/api/prometheus/grafana/api/v1/rules` of
Grafana's documentation and source. Behind it a real Prometheus records GRAFANA_ALERTS and says when it did.
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.integration.gate import running

PATH = "/api/prometheus/grafana/api/v1/rules"
TOKEN = "glsa_tok3n"
NEVER = "0001-01-01T00:00:00Z"


@dataclass
class Grafana:
    """Its address, and the rules that it shows: by title, what differs from a healthy rule."""

    url: str
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)


def recording(title: str, expr: str, state: str, prometheus: str = "firing") -> str:
    """A rule of a Prometheus that writes GRAFANA_ALERTS as Grafana's state history does, while `expr` has an answer."""
    labels = {
        "alertname": title,
        "alertstate": prometheus,
        "grafana_alertstate": state,
        "grafana_rule_uid": f"uid-{title}",
        "grafana_folder": "models",
    }
    return (
        f"      - {{record: GRAFANA_ALERTS, expr: {json.dumps(f'({expr}) * 0 + 1')}, labels: {json.dumps(labels)}}}\n"
    )


@contextmanager
def grafana(prometheus: str) -> Iterator[Grafana]:
    """Evaluations are those of the first rule group of `prometheus`; only the token lets anybody in."""
    target = urlsplit(prometheus)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.answer(401, {"message": "Unauthorized"})
            elif self.path != PATH:
                self.answer(404, {"message": "Not found"})
            else:
                behind = http.client.HTTPConnection(target.netloc, timeout=10)
                behind.request("GET", "/api/v1/rules")
                groups = json.loads(behind.getresponse().read())["data"]["groups"]
                behind.close()
                self.answer(200, found.answered(groups[0]["interval"], groups[0]["lastEvaluation"]))

        def answer(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = _Answering(f"http://127.0.0.1:{server.server_address[1]}")
    with running(server):
        yield found


class _Answering(Grafana):
    def answered(self, interval_s: float, last_evaluation: str) -> dict[str, Any]:
        rules = [
            {
                "state": "inactive", "name": title, "folderUid": "f1", "uid": f"uid-{title}", "query": "vector(1)",
                "queriedDatasourceUIDs": ["prom"], "duration": 0, "annotations": {}, "totals": {"normal": 1},
                "totalsFiltered": {"normal": 1}, "labels": {"severity": "P1"}, "health": "ok", "type": "alerting",
                "isPaused": False, "lastEvaluation": last_evaluation, "evaluationTime": 0.003, **changes,
            }
            for title, changes in self.rules.items()
        ]  # fmt: skip
        group = {
            "name": "drill", "file": "models", "folderUid": "f1", "rules": rules, "totals": {"inactive": len(rules)},
            "interval": interval_s, "lastEvaluation": last_evaluation, "evaluationTime": 0.003,
        }  # fmt: skip
        return {"status": "success", "data": {"groups": [group], "totals": {"inactive": len(rules)}}}
