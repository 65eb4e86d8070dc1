"""The middleware over in-memory ASGI: what passes, what is noted, and that nothing of ours reaches an exchange."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alertdrill.monitor import Monitor
from alertdrill.monitor.bad_settings import BadSettings

SCHEMA = {
    "features": [
        {"name": "id", "kind": "category", "watched": False},
        {"name": "amount", "kind": "number"},
        {"name": "country", "kind": "category"},
    ]
}
ROW = b'{"id":"7","amount":50.0,"country":"DE"}'
ANSWER = b'{"prediction_id":"p-1","score":0.5,"label":1}'
Message = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
Values = dict[tuple[str, ...], float]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(1)
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    lines = [f"{i},{a},{c}" for i, (a, c) in enumerate(zip(rng.normal(50, 10, 500), ["DE", "FR"] * 250, strict=True))]
    (tmp_path / "sample.csv").write_text("\n".join(["id,amount,country", *lines]) + "\n")
    return {"schema": tmp_path / "schema.json", "reference": tmp_path / "sample.csv"}


async def reads_and_answers(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-odd", b"kept")]})
    await send({"type": "http.response.body", "body": ANSWER[:9], "more_body": True})
    await send({"type": "http.response.body", "body": ANSWER[9:]})


def chunks(*pieces: bytes) -> list[Message]:
    last = len(pieces) - 1
    return [{"type": "http.request", "body": piece, "more_body": at < last} for at, piece in enumerate(pieces)]


async def asked(
    app: Any, messages: list[Message], path: str = "/predict", method: str = "POST", root: str = "", accept: str = ""
) -> Any:
    """What an app sends."""
    sent: list[Message] = []
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": [], "root_path": root}
    if accept:
        scope["headers"] = [(b"accept", accept.encode())]
    await app(scope, receive, send)
    return sent


async def metrics(app: Any) -> Values:
    sent = await asked(app, [], "/metrics", "GET")
    assert sent[0]["status"] == 200
    return {
        (sample.name, *(v for k, v in sample.labels.items() if k not in ("model", "version"))): sample.value
        for family in text_string_to_metric_families(sent[1]["body"].decode())
        for sample in family.samples
    }


def codes(seen: Values) -> dict[str, float]:
    return {name[1]: n for name, n in seen.items() if name[0] == "model_requests_total" and n}


def of_kind(seen: Values, name: str) -> dict[str, float]:
    return {key[1]: n for key, n in seen.items() if key[0] == name and n}


async def test_messages_pass_as_they_are_and_are_counted(files: Any) -> None:
    app = Monitor(reads_and_answers, **files)
    sent = await asked(app, chunks(ROW[:5], b"", ROW[5:]))
    assert sent == await asked(reads_and_answers, chunks(ROW))
    seen = await metrics(app)
    assert codes(seen) == {"200": 1}
    assert seen["model_feature_values_total", "country", "DE"] == 1
    assert seen["model_prediction_sum", "score"] == 0.5
    assert seen["model_prediction_classes_total", "1"] == 1
    assert seen["model_process_up",] == 1
    assert seen["model_monitor_errors_total",] == 0


async def test_other_requests_and_other_scopes_are_the_apps_own(files: Any) -> None:
    app = Monitor(reads_and_answers, **files)
    for path, method in (("/other", "POST"), ("/predict", "GET"), ("/metrics", "POST")):
        assert (await asked(app, chunks(ROW), path, method))[0]["status"] == 200
    assert codes(await metrics(app)) == {}
    scopes: list[str] = []

    async def lifespan(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope["type"])

    await Monitor(lifespan, **files)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert scopes == ["lifespan"]


async def test_a_root_path_is_no_part_of_the_endpoint(files: Any) -> None:
    app = Monitor(reads_and_answers, **files)
    await asked(app, chunks(ROW), "/api/predict", root="/api")
    assert codes(await metrics(app)) == {"200": 1}


async def test_metrics_can_be_left_to_the_app_and_mounted_elsewhere(files: Any) -> None:
    app = Monitor(reads_and_answers, metrics_path=None, **files)
    assert (await asked(app, chunks(b""), "/metrics", "GET"))[1]["body"] == ANSWER[:9]
    sent = await asked(app.metrics, [], "/anywhere", "GET")
    assert b"model_requests_total" in sent[1]["body"]


async def test_an_app_that_raises_counts_as_500_and_still_raises(files: Any) -> None:
    async def raises(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise ZeroDivisionError

    app = Monitor(raises, **files)
    with pytest.raises(ZeroDivisionError):
        await asked(app, chunks(ROW))
    seen = await metrics(app)
    assert codes(seen) == {"500": 1}
    assert of_kind(seen, "model_request_failures_total") == {"raised": 1}
    assert seen["model_feature_values_total", "country", "DE"] == 1


async def test_a_client_that_leaves_counts_as_499(files: Any) -> None:
    async def gives_up(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    app = Monitor(gives_up, **files)
    await asked(app, [{"type": "http.request", "body": ROW[:9], "more_body": True}])
    seen = await metrics(app)
    assert codes(seen) == {"499": 1}
    assert of_kind(seen, "model_malformed_requests_total") == {"incomplete": 1}


async def test_a_cancelled_request_counts_as_499(files: Any) -> None:
    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await asyncio.get_running_loop().create_future()

    app = Monitor(hangs, **files)
    task = asyncio.create_task(asked(app, chunks(ROW)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    seen = await metrics(app)
    assert codes(seen) == {"499": 1}
    assert of_kind(seen, "model_request_failures_total") == {"client_gone": 1}


async def test_a_body_that_the_app_does_not_read_is_incomplete(files: Any) -> None:
    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    app = Monitor(refuses, **files)
    await asked(app, chunks(ROW))
    seen = await metrics(app)
    assert codes(seen) == {"413": 1}
    assert of_kind(seen, "model_malformed_requests_total") == {"incomplete": 1}


async def test_an_app_that_says_nothing_or_half_is_a_failure(files: Any) -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})

    app = Monitor(half, **files)
    await asked(app, chunks(ROW))
    seen = await metrics(app)
    assert codes(seen) == {"500": 1}
    assert of_kind(seen, "model_request_failures_total") == {"reset": 1}
    assert seen["model_predictions_total",] == 0


async def test_huge_bodies_pass_whole_and_are_not_kept(files: Any) -> None:
    huge = [b"x" * 700_000] * 3
    read: list[bytes] = []

    async def echoes(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            read.append(message["body"])
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    app = Monitor(echoes, **files)
    sent = await asked(app, chunks(*huge))
    assert [message["body"] for message in sent[1:]] == read == huge
    assert app._account._noted_bytes < 1_000
    seen = await metrics(app)
    assert of_kind(seen, "model_malformed_requests_total") == {"too_large": 1}
    assert of_kind(seen, "model_malformed_answers_total") == {"too_large": 1}


async def test_the_monitors_own_failure_reaches_no_exchange(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Monitor(reads_and_answers, **files)
    monkeypatch.setattr(app._account, "note", lambda note: 1 / 0)
    sent = await asked(app, chunks(ROW))
    assert b"".join(message["body"] for message in sent[1:]) == ANSWER
    assert (await metrics(app))["model_monitor_errors_total",] == 1


async def test_metrics_that_cannot_be_written_are_an_error_and_the_app_goes_on(
    files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Monitor(reads_and_answers, **files)
    monkeypatch.setattr(app._account, "scrape", lambda: 1 / 0)
    assert (await asked(app, [], "/metrics", "GET"))[0]["status"] == 500
    assert (await asked(app, chunks(ROW)))[0]["status"] == 200


async def test_exchanges_are_counted_without_a_scrape(files: Any) -> None:
    app = Monitor(reads_and_answers, **files)
    for _ in range(300):
        await asked(app, chunks(ROW.replace(b"50.0", b"null")))
    assert app._account.waiting == 300
    async with asyncio.timeout(10):
        while app._account.waiting or app._loop is not None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    seen = await metrics(app)
    assert seen["model_drift_evidence", "amount"] >= seen["model_drift_threshold", "amount"]


def test_an_app_in_one_loop_after_another_is_counted(files: Any) -> None:
    app = Monitor(reads_and_answers, **files)
    for _ in range(2):
        asyncio.run(asked(app, chunks(ROW)))
    assert codes(asyncio.run(metrics(app))) == {"200": 2}


async def test_feedback_is_taken_where_predictions_are_made_and_joined(files: Any, tmp_path: Path) -> None:
    app = Monitor(reads_and_answers, truth_store=tmp_path / "truth.db", truth_every="50ms", **files)
    await asked(app, chunks(ROW))
    sent = await asked(app, chunks(b'[{"id": "p-1",', b' "label": 1}, {"id": "p-1"}]'), "/feedback")
    assert (sent[0]["status"], json.loads(sent[1]["body"])["accepted"]) == (202, 1)
    for body, status in ((b"{", 400), (b" " * 300_000, 413)):
        sent = await asked(app, chunks(body[:100], body[100:]), "/feedback")
        assert sent[0]["status"] == status
    assert await asked(app, [], "/feedback") == []  # a client that left
    deadline = time.monotonic() + 5.0
    while not (seen := await metrics(app))["model_labels_total",]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert (codes(seen), seen["model_monitor_errors_total",]) == ({"200": 1}, 0)
    app._account.close()


async def test_without_a_store_feedback_is_the_apps_own(files: Any) -> None:
    sent = await asked(Monitor(reads_and_answers, **files), chunks(b"{}"), "/feedback")
    assert sent[0]["headers"] == [(b"x-odd", b"kept")]


def test_bad_settings_keep_the_app_from_starting_and_say_why(files: Any) -> None:
    with pytest.raises(BadSettings, match="log_share\n  got 7"):
        Monitor(reads_and_answers, log_share=7, **files)


async def has_nothing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"no", "more_body": True})
    await send({"type": "http.response.body", "body": b"thing"})


async def test_browsers_get_the_page_where_the_app_has_nothing(files: Any) -> None:
    app = Monitor(has_nothing, **files)
    for path, root in (("/", ""), ("/monitor", ""), ("/api/", "/api")):
        sent = await asked(app, [], path, "GET", root, accept="text/html")
        assert (sent[0]["status"], len(sent)) == (200, 2)
        assert sent[1]["body"].startswith(b"<!doctype html>")


async def test_what_the_app_has_goes_before_the_page(files: Any) -> None:
    app = Monitor(reads_and_answers, **files)
    assert await asked(app, [], "/", "GET", accept="text/html") == await asked(reads_and_answers, [], "/", "GET")
    app = Monitor(has_nothing, **files)
    assert (await asked(app, [], "/", "GET", accept="*/*"))[0]["status"] == 404
    assert (await asked(app, [], "/", "HEAD", accept="text/html"))[0]["status"] == 404
    assert (await asked(Monitor(has_nothing, page="", **files), [], "/monitor", "GET", accept="text/html"))[0] == {
        "type": "http.response.start", "status": 404, "headers": [],
    }  # fmt: skip


async def test_the_numbers_of_the_page_are_as_fresh_as_the_metrics(files: Any) -> None:
    app = Monitor(reads_and_answers, **files)
    await asked(app, chunks(ROW))
    sent = await asked(app, [], "/monitor.json", "GET")
    metrics = json.loads(sent[1]["body"])["metrics"]
    assert metrics["model_predictions_total"]["values"]["1"] == 1
    assert metrics["model_process_up"]["values"]["1"] == 1
