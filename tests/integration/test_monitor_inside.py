"""The monitor as a middleware in an app on uvicorn, over real sockets."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.monitor_process import ANSWER, DEADLINE_S, ROW, Server, Since, of_kind, running, write_model

SERVER = "tests.integration.monitored_server"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def process(folder: Path) -> Iterator[Server]:
    write_model(folder)
    settings = {"dependencies": ["store"], "log": str(folder / "log.jsonl"), "log_headers": ["user-agent"]}
    (folder / "settings.json").write_text(json.dumps(settings))
    with running(["-m", SERVER, str(folder)]) as server:
        yield server


@pytest.fixture
def app(process: Server) -> Iterator[Server]:
    since = Since(process)
    yield since
    since.client.close()


def test_it_counts_what_the_app_answers_and_logs_it(app: Server, process: Server, folder: Path) -> None:
    for n in range(200):
        assert app.ask(ROW, x_request_id=f"r{n}", user_agent="test")[:2] == (200, ANSWER)
    assert app.ask(b"", "/health", "GET")[:2] == (200, b"up")
    seen = app.metrics_when(lambda values: values["model_monitor_log_lines_total", "written"] == 200)
    assert of_kind(seen, "model_requests_total") == {"200": 200}
    assert seen["model_predictions_total",] == 200
    assert seen["model_feature_values_total", "country", "DE"] == 200
    assert seen["model_prediction_sum", "score"] == 50.0
    assert seen["model_prediction_classes_total", "1"] == 200
    assert seen["model_dependency_duration_seconds_count", "store"] == 200
    assert seen["model_dependency_duration_seconds_sum", "store"] == pytest.approx(2.5)
    assert seen["model_process_up",] == 1
    assert process.metrics()["model_process_cpu_seconds_total",] > 0
    assert seen["model_monitor_errors_total",] == 0
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    lines = [line for line in lines if line.get("metadata") == {"user-agent": "test"}]
    assert [line["request_id"] for line in lines] == [f"r{n}" for n in range(200)]
    assert lines[0]["inputs"] == json.loads(ROW)
    assert lines[0]["outputs"] == json.loads(ANSWER)
    assert lines[0]["metadata"] == {"user-agent": "test"}
    assert abs(lines[0]["timestamp"] - time.time()) < 60
    assert 0 < lines[0]["latency"] < DEADLINE_S


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b'{"amount": "\xff"}', "bad_encoding"),
        (ROW[:-5], "bad_json"),
        (b'{"amount": NaN}', "bad_json"),
        (b'{"amount": Infinity}', "bad_json"),
        (b"[" + ROW + b"]", "not_an_object"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "bad_json"),
        (b" " * (3 << 20), "too_large"),
    ],
    ids=["empty", "not-utf8", "cut", "nan", "infinity", "batch", "deep", "huge"],
)
def test_a_hostile_body_is_answered_as_ever_and_has_a_reason(app: Server, body: bytes, reason: str) -> None:
    assert app.ask(body, x_do="echo")[:2] == (200, body)
    seen = app.metrics()
    assert of_kind(seen, "model_malformed_requests_total") == {reason: 1}
    assert seen["model_monitor_errors_total",] == 0


def test_a_slow_body_is_counted_once_it_is_there(app: Server) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=DEADLINE_S) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n" % len(ROW))
        for at in range(0, len(ROW), 4):
            client.sendall(ROW[at : at + 4])
            time.sleep(0.01)  # what is slow is the client
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")
    seen = app.metrics()
    assert seen["model_feature_values_total", "country", "DE"] == 1
    assert seen["model_request_duration_seconds_sum",] < 0.09


def test_a_client_that_leaves_within_its_body_is_counted(app: Server) -> None:
    with socket.create_connection(("127.0.0.1", app.port), timeout=DEADLINE_S) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nhost: m\r\ncontent-length: 100\r\n\r\n{")
    seen = app.metrics_when(lambda values: values["model_request_failures_total", "client_gone"] == 1)
    assert of_kind(seen, "model_requests_total") == {"499": 1}
    assert of_kind(seen, "model_malformed_requests_total") == {"incomplete": 1}


def test_ten_thousand_unknown_names_make_no_series(app: Server) -> None:
    before = len(app.metrics())
    body = json.dumps({f"key{i}": i for i in range(10_000)}).encode()
    for _ in range(3):
        assert app.ask(body, x_do="echo")[:2] == (200, body)
    seen = app.metrics()
    assert len(seen) == before
    assert seen["model_monitor_unknown_keys_total",] == 30_000


def test_streamed_answers_pass_in_their_pieces_and_are_read_whole(app: Server) -> None:
    assert app.ask(ROW, x_do="stream")[:2] == (200, ANSWER)
    assert app.metrics()["model_prediction_classes_total", "1"] == 1


def test_answers_that_hold_no_prediction_are_counted(app: Server) -> None:
    assert app.ask(ROW, x_do="nan")[1] == b'{"score": NaN}'
    assert app.ask(ROW, x_do="refuse")[:2] == (401, b"unread")
    seen = app.metrics()
    assert of_kind(seen, "model_malformed_answers_total") == {"bad_json": 1}
    assert of_kind(seen, "model_malformed_requests_total") == {"incomplete": 1}


def test_an_app_that_raises_or_breaks_off_is_counted_as_500(app: Server) -> None:
    assert app.ask(ROW, x_do="raise")[0] == 500
    app.client.close()  # as the server does
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        app.ask(ROW, x_do="break")
    app.client.close()
    seen = app.metrics_when(lambda values: values["model_requests_total", "500"] == 2)
    assert of_kind(seen, "model_request_failures_total") == {"raised": 2}
    assert seen["model_predictions_total",] == 0


def test_work_after_the_answer_is_not_waited_for(app: Server) -> None:
    assert app.ask(ROW, x_do="after")[:2] == (200, ANSWER)
    app.client.close()
    seen = app.metrics_when(lambda values: values["model_predictions_total",] == 1)
    assert seen["model_request_duration_seconds_sum",] < 1.0
