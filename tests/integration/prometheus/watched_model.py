"""A real monitor before a small model server, for any schema."""

import contextlib
import http.client
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from alertdrill.protocols.schema import Feature, FeatureKind, Schema

TIMEOUT_S = 10.0
REFERENCE_ROWS = 500


class Model(BaseHTTPRequestHandler):
    """Answers 200, or with the status that `x-status` asks for; has metrics of its own."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(int(self.headers.get("x-status", "200")), b'{"score": 0.5}')

    def do_GET(self) -> None:
        self._answer(200, b"server_requests_total 1\n")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@dataclass(frozen=True)
class Watched:
    """A model and its monitor, which both run.

    Attributes:
        schema: of the model.
        monitor, model: addresses `host:port`.
    """

    schema: Schema
    monitor: str
    model: str

    def ask(self, requests: int, seed: int = 0) -> None:
        """Requests one after the other: good ones, some with nulls, some malformed, some answered 500."""
        random_ = random.Random(seed)
        client = http.client.HTTPConnection(self.monitor, timeout=TIMEOUT_S)
        with contextlib.closing(client):
            for i in range(requests):
                row = {f.name: None if i % 11 == 0 else _value(f, random_) for f in self.schema.features}
                body = b"{" if i % 13 == 0 else json.dumps(row).encode()
                client.request("POST", self.schema.path, body, {"x-status": "500" if i % 17 == 0 else "200"})
                client.getresponse().read()

    def series(self) -> list[tuple[str, dict[str, str]]]:
        """Name and labels of all that the monitor exports."""
        client = http.client.HTTPConnection(self.monitor, timeout=TIMEOUT_S)
        with contextlib.closing(client):
            client.request("GET", "/metrics")
            text = client.getresponse().read().decode()
        return [(s.name, s.labels) for family in text_string_to_metric_families(text) for s in family.samples]


@contextlib.contextmanager
def watched(folder: Path, schema: Schema) -> Iterator[Watched]:
    """Start a model and its monitor, and end both."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        model = f"127.0.0.1:{server.server_port}"
        with _monitor(folder, schema, model) as port:
            yield Watched(schema, f"127.0.0.1:{port}", model)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def _monitor(folder: Path, schema: Schema, model: str) -> Iterator[int]:
    random_ = random.Random(1)
    (folder / "schema.json").write_text(schema.model_dump_json())
    names = ",".join(schema.names())
    rows = [",".join(str(_value(f, random_)) for f in schema.features) for _ in range(REFERENCE_ROWS)]
    (folder / "sample.csv").write_text("\n".join([names, *rows]) + "\n")
    files = ["--schema", str(folder / "schema.json"), "--reference", str(folder / "sample.csv")]
    options = ["--upstream", f"http://{model}", "--model", "fraud", *files]
    argv = [sys.executable, "-m", "alertdrill.lifeline", "-m", "alertdrill.monitor", *options]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


def _value(feature: Feature, random_: random.Random) -> Any:
    if feature.kind is FeatureKind.NUMBER:
        return round(random_.gauss(50.0, 10.0), 3)
    return random_.randrange(24) if feature.kind is FeatureKind.INTEGER else random_.choice(["DE", "FR", "IT"])
