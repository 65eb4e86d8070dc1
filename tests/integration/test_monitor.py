"""The monitor as a process, before a small real server: what it passes on, counts and survives."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

SCHEMA = {
    "features": [
        {"name": "id", "kind": "category", "watched": False},
        {"name": "amount", "kind": "number"},
        {"name": "country", "kind": "category"},
    ]
}
ROW = b'{"id":"7","amount":50.0,"country":"DE"}'
DEADLINE_S = 10.0

Values = dict[tuple[str, ...], float]


class Echo(BaseHTTPRequestHandler):
    """Answers with the body it got and the status that `x-status` asks for; not at all where `x-die` is sent."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        if "x-die" in self.headers:
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(int(self.headers.get("x-status", "200")))
        self.send_header("content-length", str(len(body)))
        self.send_header("x-saw-run", self.headers.get("x-alertdrill-run", ""))
        self.send_header("x-odd", "kept  as it is")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"up")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Sidecar:
    """A monitor process, and one client connection to it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process, self.port = process, port
        self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)

    def ask(
        self, body: bytes, path: str = "/predict", method: str = "POST", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._client.request(method, path, body, named)
        answer = self._client.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())

    def metrics(self) -> Values:
        """Name and label values (model and version left out) of every sample, to its value."""
        _, text, _ = self.ask(b"", "/metrics", "GET")
        return {
            (sample.name, *(v for k, v in sample.labels.items() if k not in ("model", "version"))): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }

    def metrics_when(self, holds: Callable[[Values], bool], deadline_s: float = DEADLINE_S) -> Values:
        """The metrics as soon as a condition holds of them."""
        deadline = time.monotonic() + deadline_s
        while not holds(seen := self.metrics()):
            assert time.monotonic() < deadline, "the metrics never said so"
        return seen

    def close(self) -> None:
        """End it as a controller would."""
        self.process.terminate()
        assert self.process.wait(2.0) == 0
        self.forget()

    def disconnect(self) -> None:
        """Close the client's connection."""
        self._client.close()

    def forget(self) -> None:
        """Close our ends of what has ended."""
        self.disconnect()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def command(folder: Path, *more: str) -> list[str]:
    rng = np.random.default_rng(1)
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    amounts, countries = rng.normal(50.0, 10.0, 2_000), rng.choice(["DE", "FR"], 2_000)
    lines = [f"{i},{a},{c}" for i, (a, c) in enumerate(zip(amounts, countries, strict=True))]
    (folder / "sample.csv").write_text("\n".join(["id,amount,country", *lines]) + "\n")
    files = ["--schema", str(folder / "schema.json"), "--reference", str(folder / "sample.csv")]
    return [sys.executable, "-m", "alertdrill.lifeline", "-m", "alertdrill.monitor", *files, *more]


@pytest.fixture
def upstream() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sidecar(tmp_path: Path, upstream: ThreadingHTTPServer) -> Iterator[Sidecar]:
    url = f"http://127.0.0.1:{upstream.server_port}"
    started = command(tmp_path, "--upstream", url, "--model", "fraud", "--model-version", "1", "--port", "0")
    process = subprocess.Popen(started, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    ready = json.loads(process.stdout.readline())
    assert ready["event"] == "ready"
    running = Sidecar(process, ready["port"])
    yield running
    running.close()


def total(seen: Values, *prefix: str) -> float:
    return sum(value for name, value in seen.items() if name[: len(prefix)] == prefix)


def test_answers_pass_unaltered_whatever_the_body(sidecar: Sidecar) -> None:
    bodies = [ROW, b"\x00\xff not json", b'{"amount": NaN}', b"x" * 300_000]
    for body, status in product(bodies, (200, 422, 500)):
        code, answer, headers = sidecar.ask(body, x_status=str(status), x_alertdrill_run="r1")
        assert (code, answer) == (status, body)
        assert headers["x-saw-run"] == "r1"
        assert headers["x-odd"] == "kept  as it is"
    assert sidecar.ask(b"", "/health", "GET")[:2] == (200, b"up")


def test_counters_are_exact(sidecar: Sidecar) -> None:
    for i in range(200):
        sidecar.ask(ROW if i % 4 else ROW.replace(b"50.0", b"null"), x_status="200" if i % 10 else "500")
    sidecar.ask(ROW, "/other")
    seen = sidecar.metrics()
    assert {code: seen["model_requests_total", code] for code in ("200", "500", "422")} == {
        "200": 180, "500": 20, "422": 0,
    }  # fmt: skip
    assert seen["model_predictions_total",] == 180
    assert seen["model_feature_values_total", "amount", "null"] == 50
    assert total(seen, "model_feature_values_total", "amount") == 200
    assert seen["model_feature_values_total", "country", "DE"] == 200
    assert seen["model_feature_sum", "amount"] == 150 * 50.0
    assert seen["model_request_duration_seconds_count",] == 200
    assert seen["model_monitor_errors_total",] == seen["model_monitor_dropped_total",] == 0


def test_hostile_bodies_are_counted_under_bounded_labels(sidecar: Sidecar) -> None:
    series = len(sidecar.metrics())
    reasons = {
        b"": "empty", b'{"amount": "\xff"}': "bad_encoding", ROW[:-5]: "bad_json", b'{"amount": NaN}': "bad_json",
        b"[1]": "not_an_object", b'{"a":' * 2_000 + b"1" + b"}" * 2_000: "bad_json", b" " * (2 << 20): "too_large",
    }  # fmt: skip
    for body in reasons:
        assert sidecar.ask(body)[0] == 200
    rows: list[dict[str, object]] = [
        {"amount": "50", "country": 5},
        {"amount": True, "country": ["DE"]},
        {"amount": 1e308, "country": "x" * 5_000},
        {f"key{i}": i for i in range(10_000)},
    ]
    for row in rows:
        assert sidecar.ask(json.dumps(row).encode())[0] == 200
    seen = sidecar.metrics()
    assert len(seen) == series
    for reason in set(reasons.values()):
        assert seen["model_malformed_requests_total", reason] == list(reasons.values()).count(reason)
    amount = {cell: seen["model_feature_values_total", "amount", cell] for cell in ("type_error", "above", "missing")}
    assert amount == {"type_error": 2, "above": 1, "missing": 1}
    assert seen["model_feature_values_total", "country", "unseen"] == 1
    assert seen["model_monitor_unknown_keys_total",] == 10_000
    assert seen["model_monitor_errors_total",] == 0


def test_evidence_reaches_its_threshold_when_values_turn_null(sidecar: Sidecar) -> None:
    evidence, threshold = ("model_drift_evidence", "amount"), ("model_drift_threshold", "amount")
    start = sidecar.metrics()
    assert start[evidence] < start[threshold]
    before = time.time()
    for _ in range(30):
        sidecar.ask(b'{"id":"7","amount":null,"country":"DE"}')
    seen = sidecar.metrics_when(lambda values: values[evidence] >= values[threshold])
    assert before < seen["model_monitor_window_end_timestamp_seconds",] <= time.time()


def test_rows_that_come_five_times_are_warned_of(sidecar: Sidecar) -> None:
    repeated = ("model_drift_warning", "repeated_rows")
    for i in range(300):
        sidecar.ask(b'{"id":"7","amount":%d.5,"country":"DE"}' % i)
    assert sidecar.metrics()[repeated] == 0
    for i in range(1_000):
        sidecar.ask(b'{"id":"7","amount":%d.25,"country":"DE"}' % (i // 5))
    sidecar.metrics_when(lambda values: values[repeated] == 1)


def test_an_upstream_that_dies_is_counted_and_the_monitor_lives(
    sidecar: Sidecar, upstream: ThreadingHTTPServer
) -> None:
    assert sidecar.ask(ROW)[0] == 200
    upstream.shutdown()
    upstream.server_close()
    assert [sidecar.ask(ROW, x_die="now")[0] for _ in range(3)] == [502] * 3
    seen = sidecar.metrics()
    assert seen["model_requests_total", "502"] == 3
    assert sidecar.process.poll() is None


def test_an_answer_that_breaks_off_counts_as_502(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(command(tmp_path, "--upstream", url), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        running = Sidecar(process, json.loads(process.stdout.readline())["port"])
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(b"POST /predict HTTP/1.1\r\nhost: m\r\ncontent-length: 2\r\n\r\n{}")
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(65_536)
                accepted.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
            while client.recv(65_536):
                pass
        seen = running.metrics_when(lambda values: total(values, "model_requests_total") == 1)
        assert seen["model_requests_total", "502"] == 1
        assert seen["model_predictions_total",] == 0
        running.close()


def test_it_ends_with_its_controller(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--upstream", "http://127.0.0.1:9"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(2.0) != 0
    process.stdout.close()


def refusal(started: list[str]) -> tuple[int, str]:
    """Exit code and message of a process that should not start. Its controller's pipe stays open until it ended."""
    process = subprocess.Popen(started, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stdin
    assert process.stderr
    with process.stdin, process.stderr:
        message = process.stderr.read().decode()
        return process.wait(DEADLINE_S), message


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (["--upstream", "ftp://x"], "expected http://host:port"),
        (["--upstream", "http://127.0.0.1:9", "--schema", "/nowhere.json"], "/nowhere.json\n  No such file"),
        (["--upstream", "http://127.0.0.1:9", "--reference", os.devnull], "expected rows of values"),
        (["--upstream", "http://127.0.0.1:9", "--false-alarms-per-week", "0"], "--false-alarms-per-week\n  got '0'"),
    ],
)
def test_bad_input_is_one_message_and_exit_2(tmp_path: Path, changed: list[str], says: str) -> None:
    code, message = refusal(command(tmp_path, *changed))
    assert code == 2
    assert says in message
    assert "fix:" in message
    assert "Traceback" not in message


def test_a_port_that_is_taken_is_one_message_and_exit_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        started = command(tmp_path, "--upstream", "http://127.0.0.1:9", "--port", port)
        code, message = refusal(started)
    assert code == 2
    assert f"--port {port}" in message
    assert "Traceback" not in message


def test_sigterm_ends_it_at_once(sidecar: Sidecar) -> None:
    sidecar.ask(ROW)
    started = time.monotonic()
    sidecar.process.send_signal(signal.SIGTERM)
    assert sidecar.process.wait(2.0) == 0
    assert time.monotonic() - started < 1.0
