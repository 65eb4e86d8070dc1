"""A monitor as a process with ground truth on, before a small model that gives each prediction an id."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.integration.test_monitor import Sidecar, command


class Model(BaseHTTPRequestHandler):
    """Answers `{"id": …, "amount": …}`: its id again, a score of amount / 100, and 1 where that is over 0.5."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        score = asked["amount"] / 100
        answer = {"prediction_id": asked["id"], "score": score, "label": int(score > 0.5), "version": asked.get("v")}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def model() -> Iterator[str]:
    """The URL of a running model."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Monitor(Sidecar):
    """What users do with it."""

    def predict(self, identity: str, amount: float, **more: object) -> dict[str, Any]:
        """What the model answers."""
        code, body, _ = self.ask(json.dumps({"id": identity, "amount": amount, "country": "DE", **more}).encode())
        assert code == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer

    def tell(self, feedback: object) -> tuple[int, dict[str, Any]]:
        """Post feedback: status and what is said of it."""
        body = feedback if isinstance(feedback, bytes) else json.dumps(feedback).encode()
        code, said, _ = self.ask(body, "/feedback")
        return code, json.loads(said)


@contextmanager
def monitor(
    folder: Path,
    url: str,
    *options: str,
    environment: Mapping[str, str] | None = None,
    before_start: Callable[[], None] | None = None,
) -> Iterator[Monitor]:
    """A monitor with its store in `folder`; stopped at the end unless that has happened."""
    fast = ("--truth-store", str(folder / "truth.db"), "--truth-every", "100ms", "--truth-min-labels", "10")
    started = command(folder, "--upstream", url, "--model", "fraud", "--model-version", "1", *fast, *options)
    process = subprocess.Popen(
        started,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        preexec_fn=before_start,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line, f"the monitor did not start; see its standard error ({sys.executable})"
    running = Monitor(process, json.loads(line)["port"])
    try:
        yield running
    finally:
        if process.poll() is None:
            running.close()
        else:
            running.forget()
