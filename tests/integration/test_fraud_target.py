"""The bundled target `fraud`: its real processes, over loopback."""

import asyncio
import filecmp
import importlib
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
import yaml

from alertdrill.protocols.encoding import encode
from alertdrill.protocols.rows import Rows, parse_csv
from alertdrill.protocols.schema import Schema

FOLDER = Path(__file__).parents[2] / "targets" / "fraud"
SCHEMA = Schema.model_validate(yaml.safe_load((FOLDER / "target.yaml").read_text())["schema"])
START_S = 60.0


class Script:
    """A script of the target under the lifeline, as alertdrill starts it."""

    def __init__(self, script: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alertdrill.lifeline", str(FOLDER / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
        )

    def event(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], START_S)[0], "no event in time"
        event: dict[str, Any] = json.loads(self.process.stdout.readline())
        return event

    def url(self) -> str:
        event = self.event()
        assert event["event"] == "ready"
        return f"http://127.0.0.1:{event['port']}"

    def stop(self) -> int:
        """Exit code after SIGTERM, or after SIGKILL if that does not end it."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return code


class StubStore(ThreadingHTTPServer):
    """A feature store whose answers the test chooses, and which remembers what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _StubHandler)
        self.code, self.body, self.hold = 200, b"", threading.Event()
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # the server hung up on an answer that came too late, as it should


class _StubHandler(BaseHTTPRequestHandler):
    server: StubStore
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.hold.wait(10)
        self.send_response(self.server.code)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fraud")
    training = Script("train.py", "--data", str(folder))
    training.event()
    assert training.process.wait(10) == 0
    training.stop()
    return folder


@pytest.fixture(scope="module")
def rows(data: Path) -> Rows:
    return parse_csv((data / "sample.csv").read_text(), SCHEMA)


@pytest.fixture(scope="module")
def bodies(rows: Rows) -> list[bytes]:
    return encode(rows, SCHEMA)


@pytest.fixture(scope="module")
def store(data: Path) -> Iterator[str]:
    script = Script("feature_store.py", "--data", str(data))
    yield script.url()
    assert script.stop() == 0


@pytest.fixture(scope="module")
def server(data: Path, store: str) -> Iterator[str]:
    script = Script("server.py", "--data", str(data), "--feature-store", store)
    yield script.url()
    assert script.stop() == 0


@pytest.fixture(scope="module")
def stub_store() -> Iterator[StubStore]:
    with StubStore() as stub:
        yield stub
        stub.hold.set()
        stub.shutdown()


@pytest.fixture(scope="module")
def stubbed_server(data: Path, stub_store: StubStore) -> Iterator[str]:
    script = Script("server.py", "--data", str(data), "--feature-store", stub_store.url, "--store-timeout-s", "0.5")
    yield script.url()
    assert script.stop() == 0


def predict(server: str, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{server}/predict", content=body, headers=headers, timeout=5)


def changed(body: bytes, **values: Any) -> bytes:
    return json.dumps({**json.loads(body), **values}).encode()


def counter(url: str, name: str, label: str = "") -> float:
    """Sum of a counter's samples whose labels contain `label`."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name) and label in line)


class TestTraining:
    def test_the_model_is_good_and_no_better_than_the_label_rule_allows(self, data: Path) -> None:
        stamp = json.loads((data / "stamp.json").read_text())
        assert 0.85 < stamp["auc"] < stamp["auc_of_rule"] + 0.01

    def test_the_sample_has_ten_thousand_rows_of_the_schema(self, rows: Rows) -> None:
        assert len(rows) == 10_000
        assert tuple(rows.columns) == SCHEMA.names()

    def test_a_folder_that_is_up_to_date_is_left_alone(self, data: Path) -> None:
        before = (data / "model.joblib").stat().st_mtime_ns
        training = Script("train.py", "--data", str(data))
        assert training.event()["state"] == "up to date"
        training.stop()
        assert (data / "model.joblib").stat().st_mtime_ns == before

    def test_two_trainings_at_once_mend_a_stale_folder_once_to_the_same_bytes(self, data: Path, tmp_path: Path) -> None:
        folder = tmp_path / "copy"
        shutil.copytree(data, folder)
        stamp = json.loads((folder / "stamp.json").read_text())
        (folder / "stamp.json").write_text(json.dumps({**stamp, "fingerprint": "of older sources"}))
        (folder / "sample.csv").write_text("stale")
        (folder / ".training-killed").mkdir()
        env = {"PYTHONHASHSEED": "7"}
        trainings = [Script("train.py", "--data", str(folder), env=env) for _ in range(2)]
        assert sorted(training.event()["state"] for training in trainings) == ["trained", "up to date"]
        for training in trainings:
            training.stop()
        for name in ("sample.csv", "histories.json"):
            assert filecmp.cmp(data / name, folder / name, shallow=False)
        assert not list(folder.glob(".training-*"))

    def test_a_score_is_what_the_classifier_predicts(
        self, data: Path, rows: Rows, bodies: list[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(FOLDER)
        joblib, history = importlib.import_module("joblib"), importlib.import_module("history")
        model = joblib.load(data / "model.joblib")
        histories = json.loads((data / "histories.json").read_text())
        for body in bodies[:50]:
            row = json.loads(body)
            card = history.History(**histories[row["card_id"]])
            expected = model.classifier.predict_proba([model.encode(row, card)])[0, 1]
            assert model.score(row, card) == pytest.approx(expected, abs=1e-12)


class TestPredictions:
    def test_a_transaction_gets_a_score_a_label_and_an_id_of_its_own(self, server: str, bodies: list[bytes]) -> None:
        answers = [predict(server, bodies[0]).json() for _ in range(2)]
        assert answers[0]["prediction_id"] != answers[1]["prediction_id"]
        assert answers[0]["score"] == answers[1]["score"]
        assert 0 <= answers[0]["score"] <= 1
        assert answers[0]["label"] in (0, 1)
        assert (answers[0]["model"], answers[0]["version"]) == ("fraud", "1")

    def test_every_row_of_the_sample_is_accepted_and_some_are_fraud(self, server: str, bodies: list[bytes]) -> None:
        with httpx.Client() as client:
            answers = [client.post(f"{server}/predict", content=body) for body in bodies[:300]]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["label"] for answer in answers} == {0, 1}

    @pytest.mark.parametrize("name", [f.name for f in SCHEMA.features if f.name not in ("transaction_id", "card_id")])
    def test_a_null_is_imputed(self, server: str, bodies: list[bytes], name: str) -> None:
        answer = predict(server, changed(bodies[0], **{name: None}))
        assert answer.status_code == 200
        assert 0 <= answer.json()["score"] <= 1

    @pytest.mark.parametrize(
        "values",
        [
            {"merchant_category": "never seen"},
            {"country": "NO"},
            {"extra": [1, 2]},
            {"amount": -1e300},
            {"amount": 10**30},
            {"amount": 7},
            {"hour": 13.0},
            {"card_id": "nobody's\r\nhost: x/../?"},
            {"card_id": ""},
        ],
        ids=str,
    )
    def test_odd_but_well_formed_input_is_answered(
        self, server: str, bodies: list[bytes], values: Mapping[str, Any]
    ) -> None:
        assert predict(server, changed(bodies[0], **values)).status_code == 200

    def test_more_money_at_night_from_a_new_device_is_more_suspicious(self, server: str, bodies: list[bytes]) -> None:
        calm = predict(server, changed(bodies[0], amount=20.0, hour=13)).json()["score"]
        alarming = predict(server, changed(bodies[0], amount=2_000.0, hour=3, device="new")).json()["score"]
        assert alarming > 10 * calm


class TestBadInput:
    @pytest.mark.parametrize(
        ("name", "value", "got"),
        [
            ("amount", "12.5", "str '12.5'"),
            ("amount", True, "bool True"),
            ("amount", [1], "list [1]"),
            ("hour", 13.5, "float 13.5"),
            ("hour", "13", "str '13'"),
            ("country", 7, "int 7"),
            ("card_id", 7, "int 7"),
        ],
    )
    def test_a_wrong_type_is_named(self, server: str, bodies: list[bytes], name: str, value: Any, got: str) -> None:
        answer = predict(server, changed(bodies[0], **{name: value}))
        assert answer.status_code == 422
        (detail,) = answer.json()["details"]
        assert (detail["field"], detail["reason"]) == (name, "wrong_type")
        assert detail["message"].startswith(f"got {got}, expected")

    @pytest.mark.parametrize("name", SCHEMA.names())
    def test_a_missing_key_is_named(self, server: str, bodies: list[bytes], name: str) -> None:
        row = {key: value for key, value in json.loads(bodies[0]).items() if key != name}
        answer = predict(server, json.dumps(row).encode())
        assert answer.status_code == 422
        assert [(d["field"], d["reason"]) for d in answer.json()["details"]] == [(name, "missing")]

    @pytest.mark.parametrize("name", ["transaction_id", "card_id"])
    def test_an_identifier_cannot_be_null(self, server: str, bodies: list[bytes], name: str) -> None:
        answer = predict(server, changed(bodies[0], **{name: None}))
        assert answer.status_code == 422
        assert [(d["field"], d["reason"]) for d in answer.json()["details"]] == [(name, "null")]

    def test_all_mistakes_are_told_at_once(self, server: str, bodies: list[bytes]) -> None:
        answer = predict(server, changed(bodies[0], amount="x", hour="y"))
        assert [d["field"] for d in answer.json()["details"]] == ["hour", "amount"]

    def test_truncated_json_is_malformed(self, server: str, bodies: list[bytes]) -> None:
        before = counter(server, "server_invalid_requests_total", "malformed_json")
        for body in (bodies[0][:-1], bodies[0][:20], b"", b"\xff"):
            answer = predict(server, body)
            assert answer.status_code == 422
            assert [(d["field"], d["reason"]) for d in answer.json()["details"]] == [(None, "malformed_json")]
        assert counter(server, "server_invalid_requests_total", "malformed_json") == before + 4

    def test_a_nan_literal_is_malformed(self, server: str, bodies: list[bytes]) -> None:
        answer = predict(server, changed(bodies[0], amount=float("nan")))
        assert answer.status_code == 422
        assert answer.json()["details"][0]["reason"] == "malformed_json"

    @pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"text"'])
    def test_anything_but_an_object_is_refused(self, server: str, body: bytes) -> None:
        answer = predict(server, body)
        assert answer.status_code == 422
        assert [d["reason"] for d in answer.json()["details"]] == ["not_an_object"]

    def test_requests_are_counted_by_code(self, server: str, bodies: list[bytes]) -> None:
        before = [counter(server, "server_requests_total", f'"{code}"') for code in (200, 422)]
        predict(server, bodies[0])
        predict(server, b"{}")
        after = [counter(server, "server_requests_total", f'"{code}"') for code in (200, 422)]
        assert after == [before[0] + 1, before[1] + 1]


class TestFeatureStore:
    def test_a_card_has_a_history(self, store: str, bodies: list[bytes]) -> None:
        answer = httpx.get(f"{store}/cards/{json.loads(bodies[0])['card_id']}")
        assert answer.status_code == 200
        assert answer.json()["mean_amount_30d"] > 0

    def test_an_unknown_card_is_not_found(self, store: str) -> None:
        assert httpx.get(f"{store}/cards/nobody").status_code == 404

    async def test_latency_rises_when_offered_load_exceeds_capacity(self, data: Path) -> None:
        script = Script("feature_store.py", "--data", str(data), "--workers", "1", "--service-ms", "5")
        port = int(script.url().rsplit(":", 1)[1])
        below = await latencies(port, rate_per_s=50, count=25)
        above = await latencies(port, rate_per_s=400, count=120)
        assert script.stop() == 0
        assert median(seconds for _, seconds in below) < 0.05
        assert {code for code, _ in above} == {200}
        # 120 lookups of 5 ms take 0.6 s, and the last came after 0.3 s.
        assert median(seconds for _, seconds in above[-10:]) > 0.2

    async def test_a_full_queue_refuses_at_once(self, data: Path) -> None:
        options = ("--workers", "1", "--service-ms", "20", "--max-wait-ms", "200")
        script = Script("feature_store.py", "--data", str(data), *options)
        port = int(script.url().rsplit(":", 1)[1])
        answers = await latencies(port, rate_per_s=100_000, count=40)
        assert script.stop() == 0
        refused = [seconds for code, seconds in answers if code == 503]
        served = [seconds for code, seconds in answers if code == 200]
        assert len(refused) >= 20
        assert len(served) >= 10
        assert max(refused) < max(served)


class TestFallback:
    def test_run_and_sequence_reach_the_store(
        self, stubbed_server: str, stub_store: StubStore, bodies: list[bytes]
    ) -> None:
        stub_store.hold.set()
        predict(stubbed_server, bodies[0], **{"x-alertdrill-run": "r1", "x-alertdrill-seq": "2.7", "x-other": "no"})
        path, headers = stub_store.asked[-1]
        assert path == f"/cards/{json.loads(bodies[0])['card_id']}"
        assert (headers["x-alertdrill-run"], headers["x-alertdrill-seq"]) == ("r1", "2.7")
        assert "x-other" not in headers

    def test_a_card_id_cannot_write_the_request_to_the_store(
        self, stubbed_server: str, stub_store: StubStore, bodies: list[bytes]
    ) -> None:
        stub_store.hold.set()
        predict(stubbed_server, changed(bodies[0], card_id="../a b?c\r\nx-alertdrill-run: forged"))
        path, headers = stub_store.asked[-1]
        assert path == "/cards/..%2Fa%20b%3Fc%0D%0Ax-alertdrill-run%3A%20forged"
        assert "x-alertdrill-run" not in headers

    @pytest.mark.parametrize(
        ("code", "body", "reason"),
        [
            (500, b"broken", "status"),
            (404, b"{}", "unknown_card"),
            (200, b'{"home_country":', "bad_answer"),
            (200, b"[]", "bad_answer"),
            (200, b'{"home_country":"NO"}', "bad_answer"),
        ],
    )
    def test_a_useless_answer_is_replaced_and_counted(
        self, stubbed_server: str, stub_store: StubStore, bodies: list[bytes], code: int, body: bytes, reason: str
    ) -> None:
        stub_store.code, stub_store.body = code, body
        stub_store.hold.set()
        before = counter(stubbed_server, "model_fallback_total", reason)
        assert predict(stubbed_server, bodies[0]).status_code == 200
        assert counter(stubbed_server, "model_fallback_total", reason) == before + 1

    def test_a_slow_store_is_not_waited_for(
        self, stubbed_server: str, stub_store: StubStore, bodies: list[bytes]
    ) -> None:
        stub_store.hold.clear()
        before, started = counter(stubbed_server, "model_fallback_total", "timeout"), time.monotonic()
        assert predict(stubbed_server, bodies[0]).status_code == 200
        assert 0.5 <= time.monotonic() - started < 3
        assert counter(stubbed_server, "model_fallback_total", "timeout") == before + 1
        stub_store.hold.set()

    def test_a_dead_store_is_survived_and_a_restarted_one_is_used_again(self, data: Path, bodies: list[bytes]) -> None:
        store = Script("feature_store.py", "--data", str(data))
        store_url = store.url()
        server = Script("server.py", "--data", str(data), "--feature-store", store_url)
        url = server.url()
        with_history = predict(url, bodies[0]).json()["score"]
        store.process.kill()
        store.stop()
        assert predict(url, bodies[0]).status_code == 200
        assert counter(url, "model_fallback_total", "unreachable") == 1
        assert httpx.get(f"{url}/health").status_code == 200
        again = Script("feature_store.py", "--data", str(data), "--port", store_url.rsplit(":", 1)[1])
        again.url()
        assert predict(url, bodies[0]).json()["score"] == with_history
        assert counter(url, "model_fallback_total") == 1
        assert (again.stop(), server.stop()) == (0, 0)


class TestProcesses:
    def test_sigterm_ends_a_server_within_a_second_even_with_a_request_in_flight(
        self, data: Path, stub_store: StubStore, bodies: list[bytes]
    ) -> None:
        stub_store.hold.clear()
        options = ("--feature-store", stub_store.url, "--store-timeout-s", "30")
        server = Script("server.py", "--data", str(data), *options)
        url, asked = server.url(), len(stub_store.asked)
        with pytest.raises(httpx.TimeoutException):
            httpx.post(f"{url}/predict", content=bodies[0], timeout=httpx.Timeout(5, read=0.2))
        waiting = threading.Thread(target=ignore_errors, args=(url, bodies[0]))
        waiting.start()
        while len(stub_store.asked) < asked + 2:
            waiting.join(0.01)
            assert waiting.is_alive()
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 1
        waiting.join(5)
        stub_store.hold.set()

    def test_a_server_ends_when_its_controller_is_gone(self, data: Path) -> None:
        store = Script("feature_store.py", "--data", str(data))
        store.url()
        assert store.process.stdin is not None
        store.process.stdin.close()
        assert store.process.wait(2) != 0
        store.stop()

    @pytest.mark.parametrize(
        ("script", "options"), [("feature_store.py", ()), ("server.py", ("--feature-store", "http://127.0.0.1:1"))]
    )
    def test_an_unprepared_folder_is_named_with_its_remedy(
        self, tmp_path: Path, script: str, options: tuple[str, ...]
    ) -> None:
        command = [sys.executable, str(FOLDER / script), "--data", str(tmp_path), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
        assert done.returncode != 0
        assert f"fix: python train.py --data {tmp_path}" in done.stderr
        assert "Traceback" not in done.stderr


def ignore_errors(url: str, body: bytes) -> None:
    try:
        predict(url, body)
    except httpx.HTTPError:
        return


async def latencies(port: int, rate_per_s: float, count: int) -> list[tuple[int, float]]:
    """Status code and seconds of `count` lookups sent at a steady rate, whether or not answers come back."""
    loop = asyncio.get_running_loop()
    first = loop.time()

    async def lookup(due: float) -> tuple[int, float]:
        await asyncio.sleep(due - loop.time())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /cards/any HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        status = await reader.readline()
        await reader.read()
        writer.close()
        code = int(status.split()[1])
        return (200 if code == 404 else code), loop.time() - due

    return await asyncio.gather(*(lookup(first + position / rate_per_s) for position in range(count)))
