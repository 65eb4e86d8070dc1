"""A real monitor before a small model server, for any schema."""

import contextlib
import http.client
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

from alertdrill.protocols.schema import Feature, FeatureKind, Schema

TIMEOUT_S = 10.0
REFERENCE_ROWS = 500


class Model(BaseHTTPRequestHandler):
    """Predicts for every request, or answers with the status that `x-status` asks for; has metrics of its own.

    The prediction of the n-th request is called `pn`.
    """

    asked: ClassVar[Iterator[int]]

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        n = next(self.asked)
        answer = {"prediction_id": f"p{n}", "score": n * 37 % 100 / 100, "label": n % 2}
        self._answer(int(self.headers.get("x-status", "200")), json.dumps(answer).encode())

    def do_GET(self) -> None:
        self._answer(200, b"server_requests_total 1\n")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "text/plain")
        self.send_header("server-timing", "store;dur=3.5")
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

    def tell(self, predictions: range) -> None:
        """Labels and clicks for some predictions, and a KPI."""
        said = [{"id": f"p{n}", "label": n % 3 % 2, "click": n % 5 == 0, "value": 2.0} for n in predictions]
        client = http.client.HTTPConnection(self.monitor, timeout=TIMEOUT_S)
        with contextlib.closing(client):
            client.request("POST", "/feedback", json.dumps([*said, {"kpis": {"refunds": 1.0}}]))
            assert client.getresponse().status == 202

    def text(self) -> str:
        """All that the monitor exports."""
        client = http.client.HTTPConnection(self.monitor, timeout=TIMEOUT_S)
        with contextlib.closing(client):
            client.request("GET", "/metrics")
            return client.getresponse().read().decode()

    def text_when(self, part: str) -> str:
        """The same as soon as it holds some text."""
        deadline = time.monotonic() + TIMEOUT_S
        while part not in (text := self.text()):
            assert time.monotonic() < deadline, f"{part} never came"
            time.sleep(0.02)
        return text


@contextlib.contextmanager
def watched(folder: Path, schema: Schema, *options: str) -> Iterator[Watched]:
    """Start a model and its monitor, and end both.

    Args:
        folder: for their files.
        schema: of the model.
        options: of the monitor, besides those that it needs.
    """
    model = type("CountingModel", (Model,), {"asked": itertools.count()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), model)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        address = f"127.0.0.1:{server.server_port}"
        with _monitor(folder, schema, address, options) as port:
            yield Watched(schema, f"127.0.0.1:{port}", address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def with_truth(folder: Path) -> tuple[str, ...]:
    """Options for ground truth."""
    return "--truth-store", str(folder / "truth.db"), "--truth-every", "100ms", "--truth-min-labels", "10"


@contextlib.contextmanager
def watched_in_all_ways(folder: Path, schema: Schema) -> Iterator[Watched]:
    """The same with everything on that a monitor has, and all of it known."""
    (folder / "log.jsonl").touch()
    everything = (
        *("--events", "/events", "--tail", str(folder / "tailed.jsonl"), "--log", str(folder / "log.jsonl")),
        *("--dependencies", "store", "--model-pid", str(os.getpid()), "--reference-answers", "100"),
        *(*with_truth(folder), "--kpi", "conversion=rate(label = 1)"),
        *("--accuracy-check-every", "7d", "--accuracy-check-threshold", "0.5", "--smtp-host", "127.0.0.1"),
        *("--smtp-from", "monitor@example.com", "--smtp-to", "team@example.com"),
    )
    with watched(folder, schema, *everything) as running:
        running.ask(130)
        running.tell(range(100))
        running.text_when("model_quality_low{")
        running.text_when('kpi="refunds"')
        yield running


@contextlib.contextmanager
def _monitor(folder: Path, schema: Schema, model: str, more: Sequence[str]) -> Iterator[int]:
    random_ = random.Random(1)
    (folder / "schema.json").write_text(schema.model_dump_json())
    names = ",".join(schema.names())
    rows = [",".join(str(_value(f, random_)) for f in schema.features) for _ in range(REFERENCE_ROWS)]
    (folder / "sample.csv").write_text("\n".join([names, *rows]) + "\n")
    files = ["--schema", str(folder / "schema.json"), "--reference", str(folder / "sample.csv")]
    options = ["--upstream", f"http://{model}", "--model", "fraud", *files, *more]
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
