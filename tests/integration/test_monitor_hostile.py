"""The monitor as a sidecar under what goes wrong around it: clocks, disks, upstreams, floods."""

import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.integration.monitor_process import ANSWER, ROW, Server, monitor, of_kind, running, served, write_model

CLOCK = Path(__file__).with_name("monitor_with_a_clock.py")


class Model(BaseHTTPRequestHandler):
    """Predicts; breaks as x-do asks for."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        do = self.headers.get("x-do", "answer")
        if do == "hang up":
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("content-length", str(len(ANSWER)))
        self.send_header("server-timing", "store;dur=5")
        self.end_headers()
        if do == "die":
            self.wfile.write(ANSWER[:9])
            self.wfile.flush()
            self.close_connection = True
            return
        self.wfile.write(b'{"score": Infinity, "label": NaN}             ' if do == "nan" else ANSWER)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def model() -> Iterator[str]:
    """A model server, and its address."""
    with served(Model) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def sidecar(folder: Path, *options: str) -> Iterator[Server]:
    with model() as url, monitor(folder, "--upstream", url, *options) as server:
        yield server


def test_a_model_that_dies_within_its_answer_is_a_reset(tmp_path: Path) -> None:
    with sidecar(tmp_path) as server:
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the client says of it
            server.ask(ROW, x_do="die")
        server.client.close()
        assert server.ask(ROW, x_do="hang up")[0] == 502
        assert server.ask(ROW)[:2] == (200, ANSWER)
        seen = server.metrics()
    assert of_kind(seen, "model_request_failures_total") == {"reset": 2}
    assert of_kind(seen, "model_requests_total") == {"200": 1, "502": 2}
    assert seen["model_prediction_sum", "score"] == 0.25


def test_answers_of_nan_pass_and_are_counted(tmp_path: Path) -> None:
    with sidecar(tmp_path) as server:
        assert server.ask(ROW, x_do="nan")[1].rstrip() == b'{"score": Infinity, "label": NaN}'
        seen = server.metrics()
    assert of_kind(seen, "model_malformed_answers_total") == {"bad_json": 1}
    assert seen["model_predictions_total",] == 1


def test_a_sidecar_logs_and_sees_dependencies_and_processes(tmp_path: Path) -> None:
    log = tmp_path / "log" / "predictions.jsonl"
    with sidecar(tmp_path, "--log", str(log), "--dependencies", "store", "--log-redact", "id") as server:
        pid = server.process.pid
        for n in range(20):
            server.ask(ROW, x_request_id=f"r{n}")
        seen = server.metrics_when(lambda values: values["model_monitor_log_lines_total", "written"] == 20)
    assert pid
    assert seen["model_dependency_duration_seconds_sum", "store"] == pytest.approx(0.1)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["request_id"] for line in lines] == [f"r{n}" for n in range(20)]
    assert {line["inputs"]["id"] for line in lines} == {"[redacted]"}


def test_the_process_of_the_model_is_watched_until_it_ends(tmp_path: Path) -> None:
    sleeping = "import time; print(0, flush=True); time.sleep(60)"
    with (
        running(["-c", sleeping]) as watched,
        sidecar(tmp_path, "--model-pid", str(watched.process.pid)) as server,
    ):
        seen = server.metrics_when(lambda values: values["model_process_up",] == 1)
        assert seen["model_process_resident_memory_bytes",] > 1e6
        watched.process.kill()
        watched.process.wait(5.0)
        server.metrics_when(lambda values: values["model_process_up",] == 0)


@pytest.mark.long
def test_what_one_monitor_logs_another_reads_back_to_the_same_counts(tmp_path: Path) -> None:
    log = tmp_path / "predictions.jsonl"
    bodies = [ROW, ROW.replace(b"50.0", b"null"), b"not json", b"[1]", json.dumps(json.loads(ROW), indent=1).encode()]
    rotating = ("--log", str(log), "--log-max-bytes", "20000")
    with sidecar(tmp_path, *rotating) as server, monitor(tmp_path, "--tail", str(log)) as tail:
        for n in range(200):
            server.ask(bodies[n % 5], **({"x-do": "hang up"} if n % 20 == 0 else {}))
        first = server.metrics_when(lambda values: values["model_monitor_log_lines_total", "written"] == 200)
        second = tail.metrics_when(lambda values: values["model_tail_lines_total", "read"] == 200)
    assert first["model_monitor_log_rotations_total",] == second["model_tail_rotations_total",] > 0
    same = (
        "model_requests_total",
        "model_predictions_total",
        "model_malformed_requests_total",
        "model_feature_values_total",
        "model_feature_sum",
        "model_prediction_sum",
        "model_prediction_classes_total",
        "model_malformed_answers_total",
        "model_request_duration_seconds_bucket",
        "model_request_failures_total",
    )
    for key, value in first.items():
        if key[0] in same:
            assert second[key] == pytest.approx(value), key


def test_a_full_disk_costs_lines_and_not_answers(tmp_path: Path) -> None:
    log = tmp_path / "predictions.jsonl"
    with sidecar(tmp_path, "--log", str(log)) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (2_000, 2_000))  # as a disk that has no more room
        for _ in range(5):
            for _ in range(20):
                assert server.ask(ROW)[:2] == (200, ANSWER)
            time.sleep(0.15)  # several blocks, the disk is full for all but the first
        seen = server.metrics_when(lambda values: sum(of_kind(values, "model_monitor_log_lines_total").values()) == 100)
        assert seen["model_monitor_log_lines_total", "failed"] > 0
        assert seen["model_requests_total", "200"] == 100
        assert seen["model_monitor_errors_total",] == 0
        for line in log.read_text().splitlines():
            assert json.loads(line)["code"] == 200


def test_a_clock_that_jumps_back_and_forth_spoils_no_duration(tmp_path: Path) -> None:
    offset, new = tmp_path / "offset", tmp_path / "new"
    offset.write_text("0")
    options = [*write_model(tmp_path), "--log", str(tmp_path / "log.jsonl")]
    with (
        model() as url,
        running(["-m", "alertdrill.lifeline", str(CLOCK), str(offset), *options, "--upstream", url]) as server,
    ):
        for n, off in enumerate(("3600", "-86400", "0"), 1):
            new.write_text(off)
            new.replace(offset)
            server.metrics_when(lambda values, n=n: values["model_monitor_clock_jumps_total",] == n)  # type: ignore[misc]
            for _ in range(30):
                assert server.ask(ROW.replace(b"50.0", b"null"))[0] == 200
        seen = server.metrics_when(lambda values: values["model_drift_evidence", "amount"] > 15)
        assert seen["model_request_duration_seconds_count",] == 90
        assert 0 <= seen["model_request_duration_seconds_sum",] < 60
        assert seen["model_monitor_errors_total",] == 0
        assert abs(seen["model_monitor_window_end_timestamp_seconds",] - time.time()) < 60


@pytest.mark.long
def test_a_flood_of_large_bodies_is_bounded_and_answered(tmp_path: Path) -> None:
    body = b'{"id": "' + b"x" * 900_000 + b'"}'
    with sidecar(tmp_path) as server:
        before = server.metrics()["process_resident_memory_bytes",]

        def flood() -> None:
            with socket.create_connection(("127.0.0.1", server.port), timeout=30.0) as client:
                for _ in range(15):
                    head = b"POST /predict HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n" % len(body)
                    client.sendall(head + body)
                    assert client.recv(65_536).startswith(b"HTTP/1.1 200")

        threads = [threading.Thread(target=flood) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = server.metrics()
    counted = seen["model_requests_total", "200"] + seen["model_monitor_dropped_total",]
    assert counted == 120
    assert seen["process_resident_memory_bytes",] - before < 300e6
