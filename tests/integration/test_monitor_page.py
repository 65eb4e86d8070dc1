"""The monitor's page over real HTTP: who gets it in which way in, and that the model loses nothing to it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from tests.integration.monitor_process import ANSWER, ROW, Server, monitor, running, write_model

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
DOCTYPE = b"<!doctype html>"


class Model(BaseHTTPRequestHandler):
    """Predicts; it has a page of its own at / if `page` is one."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    page: bytes | None = None

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(200, ANSWER)

    def do_GET(self) -> None:
        if self.path == "/" and self.page is not None:
            self._answer(200, self.page)
        else:
            self._answer(404, b"the model has no such thing")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def model(page: bytes | None = None) -> Iterator[str]:
    """The URL of a running model."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Paged", (Model,), {"page": page}))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def shown(server: Server, path: str, accept: str = BROWSER) -> tuple[int, bytes]:
    return server.ask(b"", path, "GET", accept=accept)[:2]


def test_a_sidecar_shows_it_where_the_model_has_nothing(tmp_path: Path) -> None:
    with model() as url, monitor(tmp_path, "--upstream", url) as server:
        for path in ("/", "/?utm=1", "/monitor"):
            status, body = shown(server, path)
            assert (status, body[: len(DOCTYPE)]) == (200, DOCTYPE)
        nothing = (404, b"the model has no such thing")
        assert shown(server, "/", "*/*") == nothing
        assert shown(server, "/elsewhere") == nothing
        assert server.ask(b"", "/", "HEAD", accept=BROWSER)[0] == 501, "the model's answer to a method it lacks"
        assert server.metrics()["model_monitor_errors_total",] == 0


def test_a_model_keeps_its_own_page(tmp_path: Path) -> None:
    with model(b"the model's own page") as url, monitor(tmp_path, "--upstream", url) as server:
        assert shown(server, "/") == (200, b"the model's own page")
        assert shown(server, "/monitor")[1].startswith(DOCTYPE)


def test_a_sidecar_whose_model_is_down_shows_it_too(tmp_path: Path) -> None:
    with model() as url:
        pass
    with monitor(tmp_path, "--upstream", url) as server:
        assert shown(server, "/")[1].startswith(DOCTYPE)
        assert shown(server, "/", "*/*")[0] == 502


def test_without_a_page_all_paths_are_the_models(tmp_path: Path) -> None:
    with model() as url, monitor(tmp_path, "--upstream", url, "--page", "") as server:
        for path in ("/", "/monitor", "/monitor.json"):
            assert shown(server, path) == (404, b"the model has no such thing")


def test_its_numbers_are_those_of_the_metrics(tmp_path: Path) -> None:
    with model() as url, monitor(tmp_path, "--upstream", url, "--page", "/ops/fraud") as server:
        for _ in range(20):
            assert server.ask(ROW)[:2] == (200, ANSWER)
        status, body, headers = server.ask(b"", "/ops/fraud.json", "GET")
        said = json.loads(body)
        assert (status, headers["content-type"]) == (200, "application/json")
        assert said["metrics"]["model_predictions_total"]["values"]["1"] == 20
        features = said["metrics"]["model_feature_values_total"]["values"]["1"]
        assert features["country"]["DE"] == server.metrics()["model_feature_values_total", "country", "DE"] == 20
        assert (said["model"], said["version"]) == ("model", "1")


@pytest.mark.parametrize("way", [["--events", "/"], ["--tail", "log.jsonl"]], ids=["events", "tail"])
def test_a_monitor_beside_the_model_shows_it_too(tmp_path: Path, way: list[str]) -> None:
    with monitor(tmp_path, *way) as server:
        assert shown(server, "/")[1].startswith(DOCTYPE)
        assert shown(server, "/", "*/*")[0] == 404
        assert b'"model_requests_total"' in shown(server, "/monitor.json")[1]


def test_a_monitor_inside_an_app_shows_it_too(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "settings.json").write_text("{}")
    with running([str(Path(__file__).with_name("monitored_server.py")), str(tmp_path)]) as server:
        server.ask(ROW)
        assert shown(server, "/")[1].startswith(DOCTYPE)
        assert shown(server, "/", "*/*")[0] == 404
        assert shown(server, "/health") == (200, b"up")
        assert json.loads(shown(server, "/monitor.json")[1])["metrics"]["model_process_up"]["values"]["1"] == 1
