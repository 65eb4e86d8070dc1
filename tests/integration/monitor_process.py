"""The monitor as a process, in whichever way exchanges come to it, and one client connection to it."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

SCHEMA = {
    "path": "/predict",
    "features": [
        {"name": "id", "kind": "category", "watched": False},
        {"name": "amount", "kind": "number"},
        {"name": "country", "kind": "category"},
    ],
}
ROW = b'{"id":"7","amount":50.0,"country":"DE"}'
ANSWER = b'{"prediction_id":"p-1","score":0.25,"label":1}'
DEADLINE_S = 15.0
CHECKOUT = Path(__file__).parents[2]
GROWING = ("_total", "_sum", "_count", "_bucket", "_sum_squares")

Values = dict[tuple[str, ...], float]


def write_model(folder: Path) -> list[str]:
    """schema.json and sample.csv in a folder, and the options that name them."""
    rng = np.random.default_rng(1)
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    amounts, countries = rng.normal(50.0, 10.0, 2_000), rng.choice(["DE", "FR"], 2_000)
    lines = [f"{i},{a},{c}" for i, (a, c) in enumerate(zip(amounts, countries, strict=True))]
    (folder / "sample.csv").write_text("\n".join(["id,amount,country", *lines]) + "\n")
    return ["--schema", str(folder / "schema.json"), "--reference", str(folder / "sample.csv")]


def values_of(text: str) -> Values:
    """Name and label values (model and version left out) of every sample of a text, to its value."""
    return {
        (sample.name, *(v for k, v in sample.labels.items() if k not in ("model", "version"))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of_kind(seen: Values, name: str) -> dict[str, float]:
    """Value of a metric's one further label, to what was counted, where something was."""
    return {key[1]: value for key, value in seen.items() if key[0] == name and value}


class Server:
    """A process that answers `GET /metrics`."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process, self.port = process, port
        self.client = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)

    def ask(
        self, body: bytes, path: str = "/predict", method: str = "POST", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.client.request(method, path, body, named)
        answer = self.client.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())

    def metrics(self) -> Values:
        """All that it shows."""
        status, text, _ = self.ask(b"", "/metrics", "GET")
        assert status == 200
        return values_of(text.decode())

    def metrics_when(self, holds: Callable[[Values], bool]) -> Values:
        """The metrics as soon as a condition holds of them."""
        deadline = time.monotonic() + DEADLINE_S
        while not holds(seen := self.metrics()):
            assert time.monotonic() < deadline, "the metrics never said so"
            time.sleep(0.02)
        return seen


class Since(Server):
    """A process that others have asked too: counters show what came since."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.process, server.port)
        self._before: Values = {}
        self._before = {key: value for key, value in self.metrics().items() if key[0].endswith(GROWING)}

    def metrics(self) -> Values:
        """All that it shows; what has grown by nothing is 0."""
        return {key: value - self._before.get(key, 0.0) for key, value in super().metrics().items()}


class Sidecar(Server):
    """A monitor that its test ends by itself."""

    def close(self) -> None:
        """End it as a controller would."""
        self.process.terminate()
        assert self.process.wait(2.0) == 0
        self.forget()

    def forget(self) -> None:
        """Close our ends of what has ended."""
        self.client.close()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def command(folder: Path, *more: str) -> list[str]:
    """Command line of a monitor with the files of `write_model`."""
    return [sys.executable, "-m", "alertdrill.lifeline", "-m", "alertdrill.monitor", *write_model(folder), *more]


def refusal(started: list[str]) -> tuple[int, str]:
    """Exit code and message of a process that should not start. Its controller's pipe stays open until it ended."""
    process = subprocess.Popen(started, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stdin
    assert process.stderr
    with process.stdin, process.stderr:
        message = process.stderr.read().decode()
        return process.wait(DEADLINE_S), message


def total(seen: Values, *prefix: str) -> float:
    """The sum of all samples whose name and label values begin so."""
    return sum(value for name, value in seen.items() if name[: len(prefix)] == prefix)


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[ThreadingHTTPServer]:
    """A small server in threads of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(argv: list[str]) -> Iterator[Server]:
    """A process that says its port in its first line: a number, or alertdrill's ready event."""
    process = subprocess.Popen([sys.executable, *argv], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    try:
        said = json.loads(process.stdout.readline())
        server = Server(process, said if isinstance(said, int) else said["port"])
        try:
            yield server
        finally:
            server.client.close()
    finally:
        process.terminate()
        process.wait(5.0)
        process.stdin.close()
        process.stdout.close()


@contextmanager
def monitor(folder: Path, *options: str) -> Iterator[Server]:
    """A monitor with these options."""
    with running(command(folder, *options)[1:]) as server:
        yield server
        assert server.process.poll() is None, "the monitor did not live"
