"""The monitor beside a model: events of a payload logger, and a log that is followed; each way in as a process."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.monitor_process import (
    ANSWER,
    ROW,
    Server,
    Since,
    command,
    monitor,
    of_kind,
    refusal,
)

REQUEST, RESPONSE = (f"org.kubeflow.serving.inference.{kind}" for kind in ("request", "response"))
INSTANCES = b'{"instances": [["7", 50.0, "DE"], ["8", null, "FR"]]}'
PREDICTIONS = b'{"predictions": [1, 0]}'


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pointers = ("--protocol", "instances")
    with monitor(tmp_path_factory.mktemp("mirror"), "--events", "/", *pointers) as server:
        yield server


@pytest.fixture
def mirror(process: Server) -> Iterator[Server]:
    since = Since(process)
    yield since
    since.client.close()


def post(mirror: Server, name: str, type_: str, body: bytes, at: str = "2026-11-22T20:46:15.000Z") -> int:
    """Post an event in binary mode, as KServe does."""
    headers = {
        "ce-specversion": "1.0", "ce-id": name, "ce-type": type_, "ce-source": "http://localhost:9081/",
        "ce-inferenceservicename": "fraud", "ce-namespace": "default", "ce-component": "predictor", "ce-time": at,
        "content-type": "application/json",
    }  # fmt: skip
    return mirror.ask(body, "/", **headers)[0]


def test_events_of_a_payload_logger_become_exchanges(mirror: Server) -> None:
    for n in range(50):
        assert post(mirror, f"u-{n}", REQUEST, INSTANCES) == 200
        assert post(mirror, f"u-{n}", RESPONSE, PREDICTIONS, "2026-11-22T20:46:15.040Z") == 200
    seen = mirror.metrics()
    assert of_kind(seen, "model_requests_total") == {"200": 50}
    assert seen["model_predictions_total",] == 100
    assert seen["model_feature_values_total", "amount", "null"] == 50
    assert of_kind(seen, "model_prediction_classes_total") == {"1": 50, "0": 50}
    assert seen["model_request_duration_seconds_sum",] == pytest.approx(2.0)
    assert of_kind(seen, "model_mirror_events_total") == {"request": 50, "response": 50}


def test_structured_and_batched_events_are_read_too(mirror: Server) -> None:
    def event(kind: str, data: bytes) -> dict[str, object]:
        return {"specversion": "1.0", "id": "u-1", "type": kind, "source": "s", "data": json.loads(data)}

    one, both = event(REQUEST, INSTANCES), [event(REQUEST, INSTANCES), event(RESPONSE, PREDICTIONS)]
    both = [{**half, "id": "u-2"} for half in both]
    structured, batched = "application/cloudevents+json", "application/cloudevents-batch+json"
    assert mirror.ask(json.dumps(one).encode(), "/", content_type=structured)[0] == 200
    assert mirror.ask(json.dumps(event(RESPONSE, PREDICTIONS)).encode(), "/", content_type=structured)[0] == 200
    assert mirror.ask(json.dumps(both).encode(), "/", content_type=batched)[0] == 200
    assert of_kind(mirror.metrics(), "model_requests_total") == {"200": 2}


def test_what_is_no_event_is_refused_and_counted_and_all_else_is_not_found(mirror: Server) -> None:
    assert mirror.ask(b"{}", "/")[0] == 400
    assert mirror.ask(b"\xff" * 100, "/", content_type="application/cloudevents+json")[0] == 400
    assert mirror.ask(b"{}", "/elsewhere")[0] == 404
    assert mirror.ask(b"", "/", "GET")[0] == 404
    seen = mirror.metrics()
    assert of_kind(seen, "model_mirror_events_total") == {"bad": 2}
    assert seen["model_monitor_errors_total",] == 0


def test_hostile_events_leave_it_alive(mirror: Server) -> None:
    wrong = {b'{"instances": [[1]]}': "wrong_batch", b'{"instances": 5}': "wrong_batch", b"{}": "no_rows",
             b"\xff": "bad_encoding", b"": "empty", b" " * (2 << 20): "too_large"}  # fmt: skip
    for n, body in enumerate(wrong):
        assert post(mirror, f"u-{n}", REQUEST, body) == 200
        assert post(mirror, f"u-{n}", RESPONSE, b'{"predictions": [NaN]}') == 200
    seen = mirror.metrics()
    counted = of_kind(seen, "model_malformed_requests_total")
    assert counted == {reason: list(wrong.values()).count(reason) for reason in wrong.values()}
    assert of_kind(seen, "model_malformed_answers_total") == {"bad_json": len(wrong)}
    assert seen["model_monitor_errors_total",] == 0


def test_open_inference_protocol_tensors_are_rows(tmp_path: Path) -> None:
    tensors = {
        "inputs": [
            {"name": "amount", "shape": [2], "datatype": "FP64", "data": [50.0, 51.0]},
            {"name": "country", "shape": [2], "datatype": "BYTES", "data": ["DE", "FR"]},
        ]
    }
    answer = {"model_name": "m", "outputs": [{"name": "y", "shape": [2], "datatype": "INT64", "data": [0, 1]}]}
    options = ("--events", "/", "--protocol", "oip_v2")
    with monitor(tmp_path, *options) as mirror:
        post(mirror, "u", REQUEST, json.dumps(tensors).encode())
        post(mirror, "u", RESPONSE, json.dumps(answer).encode())
        seen = mirror.metrics()
    assert of_kind(seen, "model_prediction_classes_total") == {"0": 1, "1": 1}
    assert seen["model_feature_values_total", "country", "FR"] == 1


def append(path: Path, *lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(lines))


def line(row: bytes = ROW, **more: object) -> bytes:
    return json.dumps({"inputs": json.loads(row), "outputs": json.loads(ANSWER), **more}).encode() + b"\n"


def read(count: int) -> object:
    return lambda values: values["model_tail_lines_total", "read"] == count


def test_a_log_is_followed_through_rotation_truncation_and_half_lines(tmp_path: Path) -> None:
    log = tmp_path / "predictions.jsonl"
    append(log, line() * 5)
    with monitor(tmp_path, "--tail", str(log), "--tail-from", "start") as tail:
        tail.metrics_when(read(5))  # type: ignore[arg-type]
        append(log, line()[:20])
        append(log, line()[20:], b"not json\n", b"\xff\xfe\n", b'{"no": "inputs"}\n')
        tail.metrics_when(lambda values: values["model_tail_lines_total", "no_inputs"] == 1)
        log.rename(tmp_path / "predictions.jsonl.1")
        append(log, line(code=503, latency=0.25))
        tail.metrics_when(read(7))  # type: ignore[arg-type]
        log.write_bytes(b"")
        tail.metrics_when(lambda values: values["model_tail_rotations_total",] == 2)
        append(log, line(b'{"id":"7","amount":null,"country":"DE"}'))
        seen = tail.metrics_when(read(8))  # type: ignore[arg-type]
    assert of_kind(seen, "model_tail_lines_total") == {"read": 8, "bad_json": 2, "no_inputs": 1}
    assert of_kind(seen, "model_requests_total") == {"200": 7, "503": 1}
    assert seen["model_feature_values_total", "amount", "null"] == 1
    assert seen["model_request_duration_seconds_count",] == 1


def test_feedback_is_joined_whichever_way_a_prediction_came(tmp_path: Path) -> None:
    log, truth = tmp_path / "predictions.jsonl", ("--truth-store", str(tmp_path / "truth.db"), "--truth-every", "100ms")
    append(
        log, line(request_id="not-this"), line(b'{"amount": 1}', request_id="r-2", outputs={"score": 0.5, "label": 0})
    )
    with monitor(tmp_path, "--events", "/", "--tail", str(log), "--tail-from", "start", *truth) as beside:
        post(beside, "u-1", REQUEST, ROW)
        post(beside, "u-1", RESPONSE, b'{"score": 0.75, "label": 1}')
        post(beside, "u-2", REQUEST, ROW)
        post(beside, "u-2", RESPONSE, b'{"prediction_id": "p-9", "score": 0.75, "label": 1}')
        said = [{"id": name, "label": 1} for name in ("p-1", "r-2", "u-1", "p-9")]
        assert beside.ask(json.dumps(said).encode(), "/feedback")[0] == 202
        seen = beside.metrics_when(lambda values: values["model_labels_total",] == 4)
        assert of_kind(seen, "model_truth_unread_total") == {}
        assert seen["model_monitor_errors_total",] == 0


def test_a_log_of_yesterday_has_labels_that_are_a_day_late(tmp_path: Path) -> None:
    log, truth = tmp_path / "predictions.jsonl", ("--truth-store", str(tmp_path / "truth.db"))
    append(log, line(timestamp=time.time() - 90_000))
    with monitor(tmp_path, "--tail", str(log), "--tail-from", "start", *truth) as tail:
        tail.metrics_when(read(1))  # type: ignore[arg-type]
        tail.ask(b'{"id": "p-1", "label": 1}', "/feedback")
        seen = tail.metrics_when(lambda values: values["model_labels_total",] == 1)
    assert seen["model_label_lag_seconds_sum",] == pytest.approx(90_000, abs=60)


def test_a_long_log_is_read_whole_without_a_drop(tmp_path: Path) -> None:
    log = tmp_path / "predictions.jsonl"
    append(log, line() * 55_000)
    with monitor(tmp_path, "--tail", str(log), "--tail-from", "start") as tail:
        seen = tail.metrics_when(lambda values: values["model_predictions_total",] == 55_000)
    assert seen["model_monitor_dropped_total",] == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], ["got none, expected at least one"]),
        (["--events", "events"], ["write /events"]),
        (["--events", "/feedback", "--truth-store", "x.db"], ["--feedback-path", "--events"]),
        (["--tail", "x", "--tail-inputs", "inputs"], ["--tail-inputs", "write '/inputs'"]),
        (["--tail", "x.jsonl", "--log", "x.jsonl"], ["--tail, --log\n  got x.jsonl and x.jsonl", "expected", "fix: "]),
        (["--tail", "./x.1", "--log", "x"], ["--tail, --log\n  got x.1 and x"]),
        (
            ["--tail", "x", "--log", "x", "--events", "e", "--tail-inputs", "a", "--tail-outputs", "b"],
            ["--tail, --log\n", "--events\n", "--tail-inputs\n  got 'a'", "--tail-outputs\n  got 'b'"],
        ),
        (["--events", "/", "--score", "s", "--log-share", "7"], ["--score\n  got 's'", "--log-share\n  got '7'"]),
        (["--events", "/", "--reference-score", "p"], ["sample.csv", "no column p"]),
    ],
)
def test_bad_options_are_one_message_and_exit_2(tmp_path: Path, options: list[str], says: list[str]) -> None:
    code, message = refusal(command(tmp_path, *options))
    assert code == 2
    for part in [*says, "fix:"]:
        assert part in message
    assert "Traceback" not in message


def test_a_mirror_on_a_port_that_is_taken_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, message = refusal(command(tmp_path, "--events", "/", "--port", str(taken.getsockname()[1])))
    assert (code, "fix:" in message) == (2, True)
