"""Feedback to a monitor that runs as a process: joined, survived, measured, refused."""

import json
import resource
import signal
import socket
import sqlite3
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.test_monitor import DEADLINE_S, command, refusal, total
from tests.integration.truth_process import Monitor, model, monitor

DAY = "1d"


@pytest.fixture
def url() -> Iterator[str]:
    with model() as address:
        yield address


def predict_and_tell(running: Monitor, count: int, wrong: int, start: int = 0) -> None:
    """`count` predictions, half of them positive, and their labels, of which `wrong` contradict."""
    for at in range(start, start + count):
        running.predict(f"p{at}", 80.0 if at % 2 else 20.0)
    labels = [{"id": f"p{at}", "label": (at % 2) ^ (at - start < wrong)} for at in range(start, start + count)]
    assert running.tell(labels) == (202, {"accepted": count, "refused": 0})


def test_labels_are_joined_and_the_quality_is_exported_with_its_interval(tmp_path: Path, url: str) -> None:
    with monitor(tmp_path, url) as running:
        seen = running.metrics_when(lambda values: values["model_quality_state", DAY, "no_predictions"] == 1)
        assert total(seen, "model_quality") == 0
        running.predict("first", 20.0)
        running.metrics_when(lambda values: values["model_quality_state", DAY, "no_labels"] == 1)
        predict_and_tell(running, 100, wrong=10)
        seen = running.metrics_when(lambda values: values.get(("model_quality_labels", DAY)) == 100)
        assert seen["model_quality_state", DAY, "known"] == 1
        assert seen["model_quality", DAY, "accuracy"] == 0.9
        assert seen["model_quality_low", DAY, "accuracy"] == pytest.approx(0.8256, abs=1e-4)  # Wilson, 90 of 100
        assert seen["model_quality_high", DAY, "accuracy"] == pytest.approx(0.9448, abs=1e-4)
        assert {name[2] for name in seen if name[0] == "model_quality"} == {
            "accuracy", "precision", "recall", "f1", "auc",
        }  # fmt: skip
        assert seen["model_labels_total",] == seen["model_label_lag_seconds_count",] == 100
        assert seen["model_proxy_quality", DAY, "positive_rate"] == pytest.approx(50 / 101)
        assert ("model_proxy_quality", DAY, "click_through") not in seen
        assert seen["model_monitor_errors_total",] == 0


def test_what_is_wrong_with_feedback_is_said_and_counted_under_bounded_reasons(tmp_path: Path, url: str) -> None:
    bad: list[tuple[bytes, int, str]] = [
        (b"{", 400, "bad_json"),
        (b'{"id": "\xff"}', 400, "bad_encoding"),
        (b"[" * 50_000, 400, "bad_json"),
        (b'{"id": "a", "label": NaN}', 400, "bad_json"),
        (b"7", 422, "not_an_object"),
        (b'{"id": "a"}', 422, "nothing_said"),
        (b'{"label": 1}', 422, "bad_id"),
        (b'{"id": "a", "label": [1]}', 422, "bad_label"),
        (b'{"id": "a", "label": 1, "time": "soon"}', 422, "bad_time"),
        (b'{"id": "a", "kpis": {"x y": 1}}', 422, "bad_kpi"),
        (b" " * 300_000, 413, "too_large"),
        (json.dumps([{"id": "a"}] * 501).encode(), 413, "too_many"),
    ]
    with monitor(tmp_path, url) as running:
        series = len(running.metrics_when(lambda values: values["model_truth_store_up",] == 1))
        for body, status, reason in bad:
            code, said = running.tell(body)
            assert (code, said["mistakes"][0]["reason"]) == (status, reason), body[:40]
            assert "expected" in said["mistakes"][0]["text"]
        mixed = [{"id": "a", "label": 1}, {"id": "b", "label": {}}, 3]
        code, said = running.tell(mixed)
        assert (code, said["accepted"], said["refused"]) == (202, 1, 2)
        assert [mistake["where"] for mistake in said["mistakes"]] == ["[1].label", "[2]"]
        seen = running.metrics()
        for reason in {reason for _, _, reason in bad}:
            assert seen["model_feedback_refused_total", reason] >= 1
        assert running.predict("alive", 20.0)["prediction_id"] == "alive"
        assert len(running.metrics()) <= series + 10
        assert seen["model_monitor_errors_total",] == 0


def test_labels_that_come_first_wait_and_repeats_count_once(tmp_path: Path, url: str) -> None:
    with monitor(tmp_path, url, "--truth-early", "700ms") as running:
        running.tell([{"id": "late", "label": 1}, {"id": "nobody", "label": 1}])
        running.metrics_when(lambda values: values["model_feedback_total", "early"] == 2)
        running.predict("late", 80.0)
        running.metrics_when(lambda values: values["model_labels_total",] == 1)
        running.tell([{"id": "late", "label": True}, {"id": "late", "label": 0}])
        seen = running.metrics_when(lambda values: values["model_feedback_total", "unknown"] == 1)
        assert seen["model_feedback_total", "duplicate"] == 1
        assert seen["model_feedback_total", "changed"] == 1
        assert seen["model_labels_total",] == 1


def test_clicks_and_kpis_are_given_by_version(tmp_path: Path, url: str) -> None:
    formulas = (
        "--kpi",
        "fraud_caught=sum(value where label = 1 and predicted = 1)",
        "--kpi",
        "conversion=rate(label=1)",
    )
    with monitor(tmp_path, url, *formulas, "--truth-version", "/version") as running:
        for at in range(40):
            running.predict(f"p{at}", 80.0, v="1" if at < 20 else "2")
        said = [{"id": f"p{at}", "label": at % 2, "value": 10.0, "click": at % 4 == 0, "kpis": {"revenue": 2.5}}
                for at in range(40)]  # fmt: skip
        assert running.tell(said)[0] == 202
        assert running.tell(said)[0] == 202
        assert running.tell([{"kpis": {f"name{at}": 1.0}} for at in range(40)])[0] == 202
        running.metrics_when(lambda values: values["model_feedback_refused_total", "kpi_names"] == 21)
        written = time.time()
        running.metrics_when(lambda values: values.get(("model_quality_updated_timestamp_seconds",), 0.0) > written)
        _, text, _ = running.ask(b"", "/metrics", "GET")
        lines = [line for line in text.decode().splitlines() if line.startswith("model_business_kpi{")]
        values = {}
        for line in lines:
            labels, value = line.removeprefix("model_business_kpi{").split("} ")
            pairs = dict(pair.split("=") for pair in labels.split(","))
            values[pairs["kpi"].strip('"'), pairs["version"].strip('"')] = float(value)
        for version in ("1", "2"):
            assert values["fraud_caught", version] == 100.0
            assert values["conversion", version] == 0.5
            assert values["revenue", version] == 50.0
        assert len({name for name, _ in values}) == 2 + 20
        assert running.metrics()["model_proxy_quality", DAY, "click_through"] == 0.25


def count_rows(store: Path) -> tuple[int, int]:
    """Predictions and labels in a store, which must be whole."""
    with sqlite3.connect(store) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        row: tuple[int, int] = db.execute("SELECT count(predicted_at), count(labelled_at) FROM answers").fetchone()
    db.close()
    return row


def test_a_kill_in_the_middle_of_writing_loses_nothing_committed_and_counts_nothing_twice(
    tmp_path: Path, url: str
) -> None:
    log = tmp_path / "feedback.jsonl"
    store, written = tmp_path / "truth.db", 0
    with log.open("w") as out:
        for round_ in range(3):
            with monitor(tmp_path, url, "--feedback-log", str(log)) as running:
                if round_ == 0:
                    for at in range(50):
                        running.predict(f"p{at}", 80.0)
                before = count_rows(store)[1] if round_ else 0
                for at in range(written, written + 2_000):
                    out.write(json.dumps({"id": f"p{at}", "label": 1, "kpis": {"revenue": 1.0}}) + "\n")
                out.flush()
                written += 2_000
                running.metrics_when(
                    lambda values: values["model_feedback_total", "early"] + values["model_labels_total",] > 100
                )
                running.process.send_signal(signal.SIGKILL)
                running.process.wait(5.0)
            assert count_rows(store)[1] >= before
        out.write('{"id": "p0", "label": 1}\nthis is no JSON\n')
    with monitor(tmp_path, url, "--feedback-log", str(log)) as running:
        seen = running.metrics_when(lambda values: values["model_feedback_refused_total", "bad_json"] == 1)
        running.metrics_when(lambda values: values.get(("model_business_kpi", "revenue", DAY)) == written)
        assert seen["model_feedback_total", "duplicate"] == 1
        assert seen["model_truth_store_quarantined_total",] == 0
    assert count_rows(store)[1] == written


def test_a_corrupt_store_is_set_aside_and_a_new_one_begun(tmp_path: Path, url: str) -> None:
    (tmp_path / "truth.db").write_bytes(b"this is no store" * 1_000)
    with monitor(tmp_path, url) as running:
        running.metrics_when(lambda values: values["model_truth_store_quarantined_total",] == 1)
        predict_and_tell(running, 20, wrong=0)
        seen = running.metrics_when(lambda values: values["model_labels_total",] == 20)
        assert seen["model_truth_store_failures_total", "corrupt"] == 1
    assert len(list(tmp_path.glob("truth.db.quarantined-*"))) == 1


def test_a_page_that_was_damaged_meanwhile_is_found_at_the_start(tmp_path: Path, url: str) -> None:
    with monitor(tmp_path, url) as running:
        predict_and_tell(running, 100, wrong=0)
        running.metrics_when(lambda values: values["model_labels_total",] == 100)
    with (tmp_path / "truth.db").open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 8_192)
    with monitor(tmp_path, url) as running:
        running.metrics_when(lambda values: values["model_truth_store_quarantined_total",] == 1)
        predict_and_tell(running, 20, wrong=0)
        running.metrics_when(lambda values: values["model_labels_total",] == 20)


def test_a_store_that_is_removed_is_begun_anew(tmp_path: Path, url: str) -> None:
    with monitor(tmp_path, url) as running:
        predict_and_tell(running, 20, wrong=0)
        running.metrics_when(lambda values: values["model_labels_total",] == 20)
        (tmp_path / "truth.db").unlink()
        running.metrics_when(lambda values: values["model_truth_store_failures_total", "failed"] >= 1)
        predict_and_tell(running, 20, wrong=0, start=20)
        running.metrics_when(lambda values: values["model_labels_total",] == 40)
    assert count_rows(tmp_path / "truth.db") == (20, 20)


def test_a_locked_store_is_waited_for_and_then_set_aside(tmp_path: Path, url: str) -> None:
    with monitor(tmp_path, url, "--truth-patience", "700ms") as running:
        running.metrics_when(lambda values: values["model_truth_store_up",] == 1)
        holder = sqlite3.connect(tmp_path / "truth.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        predict_and_tell(running, 20, wrong=0)
        seen = running.metrics_when(lambda values: values["model_truth_store_failures_total", "locked"] >= 1)
        assert seen["model_truth_store_up",] == 0
        assert seen["model_quality_state", DAY, "unknown"] == 1
        assert total(seen, "model_quality") == 0
        seen = running.metrics_when(lambda values: values["model_labels_total",] == 20)
        assert seen["model_truth_store_quarantined_total",] == 1
        holder.close()


def test_a_full_disk_costs_labels_and_no_answer(tmp_path: Path, url: str) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    with monitor(tmp_path, url, "--truth-patience", "300ms", before_start=little_room) as running:
        for start in range(0, 200_000, 400):
            said = [{"id": f"p{at}", "label": "x" * 100} for at in range(start, start + 400)]
            code, _ = running.tell(said)
            assert code in (202, 429)
            assert running.predict(f"q{start}", 20.0)["prediction_id"] == f"q{start}"
            if running.metrics()["model_feedback_refused_total", "store_failed"]:
                break
        seen = running.metrics()
        assert seen["model_feedback_refused_total", "store_failed"] > 0
        assert seen["model_truth_store_failures_total", "failed"] > 0
        assert running.predict("alive", 20.0)["prediction_id"] == "alive"
        assert seen["model_monitor_errors_total",] == 0


def flood(port: int, ended: threading.Event, codes: Counter[bytes]) -> None:
    """Post the same 500 labels over and over on one connection, and count the codes."""
    body = json.dumps([{"id": f"f{at}", "label": 1} for at in range(500)]).encode()
    post = b"POST /feedback HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as client:
        while not ended.is_set():
            client.sendall(post)
            codes[client.recv(65_536)[9:12]] += 1


def test_a_flood_of_feedback_delays_no_prediction_and_does_not_grow_the_monitor(tmp_path: Path, url: str) -> None:
    with monitor(tmp_path, url) as running:
        before = running.metrics()["process_resident_memory_bytes",]
        ended, codes = threading.Event(), Counter[bytes]()
        floods = [threading.Thread(target=flood, args=(running.port, ended, codes)) for _ in range(4)]
        for one in floods:
            one.start()
        took = list[float]()
        for at in range(500):
            started = time.monotonic()
            running.predict(f"p{at}", 20.0)
            took.append(time.monotonic() - started)
        ended.set()
        for one in floods:
            one.join()
        seen = running.metrics()
        assert set(codes) == {b"202", b"429"}
        assert statistics.median(took) < 0.05
        assert max(took) < 1.0
        assert seen["process_resident_memory_bytes",] - before < 100e6
        assert seen["model_feedback_refused_total", "queue_full"] == codes[b"429"]
        assert seen["model_monitor_errors_total",] == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--truth-window", "1d"], "--truth-store"),
        (["--truth-store", "/nowhere/x.db"], "/nowhere/x.db: No such file"),
        (["--truth-store", "x.db", "--kpi", "a=b"], "--kpi"),
        (["--truth-store", "x.db", "--accuracy-check-every", "7d"], "--accuracy-check-threshold"),
    ],
)
def test_options_that_make_no_sense_are_one_message_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, message = refusal(command(tmp_path, "--upstream", "http://127.0.0.1:9", *options))
    assert code == 2
    assert says in message
    assert "fix:" in message
    assert "Traceback" not in message


def test_a_store_that_another_monitor_uses_is_refused(tmp_path: Path, url: str) -> None:
    with monitor(tmp_path, url):
        store = str(tmp_path / "truth.db")
        code, message = refusal(command(tmp_path, "--upstream", url, "--truth-store", store))
    assert code == 2
    assert "another monitor" in message
