"""A Prometheus with a past that a test wrote to it: at one address however often it is killed and started again."""

import http.client
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.process import FLAGS
from alertdrill.core.observations import RawSeries

LIMIT_S = 20.0


class PastServer:
    """One with the rules of a file, which it evaluates every minute."""

    def __init__(self, prometheus: Path, folder: Path, rules: str) -> None:
        self._prometheus, self._folder = prometheus, folder
        self.rules = folder / "rules.yml"
        self.rules.write_text(rules)
        general = {"evaluation_interval": "1m", "external_labels": {"cluster": "eu"}}
        (folder / "prometheus.yml").write_text(json.dumps({"global": general, "rule_files": ["rules.yml"]}))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *flags: str) -> None:
        """Start it, and wait until it answers."""
        fixed = [one for one in FLAGS if "listen-address" not in one]
        command = [
            str(self._prometheus),
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            *fixed,
            *flags,
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + LIMIT_S
        while not self._ready():
            assert time.monotonic() < deadline, (self._folder / "log").read_text()[-2000:]
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(LIMIT_S)
            self._process = None

    def write(self, series: Sequence[RawSeries]) -> None:
        """Store samples."""
        engine = HttpEngine(self.url, lambda labels, samples: [])
        engine.write(series)
        engine.close()

    def answered(self, handler: str) -> int:
        """How many questions it has answered at a path since it was started."""
        found = re.findall(rf'prometheus_http_requests_total{{.*handler="{handler}".*}} (\S+)', self._get("/metrics"))
        return int(sum(float(one) for one in found))

    def _ready(self) -> bool:
        try:
            return "ready" in self._get("/-/ready").lower()
        except OSError:
            return False

    def _get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5.0)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


class Front:
    """A proxy before it that lets no remote read through, as that of a cluster may."""

    def __init__(self, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30.0)
                connection.request("GET", self.path)
                answer = connection.getresponse()
                self._answer(answer.status, answer.read(), answer.headers["Content-Type"] or "")
                connection.close()

            def do_POST(self) -> None:
                self._answer(404, b"no such page", "text/plain")

            def _answer(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "Front":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join(LIMIT_S)
        self._server.server_close()
