"""Logs that others write: BentoML's monitor, payload loggers of CloudEvents, whole requests."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.adapters.test_traffic_log import ROWS, SCHEMA, as_csv, read, refused, text

from alertdrill.core.scenario import RecordedLoad
from alertdrill.core.scenario.reading import read_model
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import Schema

FIVE = ROWS[:5]


def test_what_bentoml_s_monitor_logs_is_read_as_it_is(tmp_path: Path) -> None:
    """Lines of BentoML 1.4.39: times of the machine's own zone without a word about it, a NaN as Python writes it."""
    lines = [
        {key: value for key, value in one.items() if key != "time"}
        | {"label": 0, "timestamp": f"2026-11-23T20:03:1{i}.999343", "request_id": "8657313912506091288"}
        for i, one in enumerate(FIVE)
    ]
    lines[2]["amount"] = float("nan")
    log = read(tmp_path, text(lines), "data.1.log", time="timestamp", zone="+01:00")
    assert log.rows is not None
    assert log.rows.columns["amount"].cells.tolist() == [Cell.VALUE, Cell.VALUE, Cell.NULL, Cell.VALUE, Cell.VALUE]
    assert log.notes[0].endswith("5 requests over 4s from 2026-11-23T19:03:10+00:00, times in ISO 8601")
    assert "which has no zone, expected a zone, such as Z or +02:00, or load.log.zone for all" in refused(
        tmp_path, text(lines), "data.1.log", time="timestamp"
    )


def event(i: int, kind: str = "request", **changes: Any) -> dict[str, Any]:
    kept = {key: value for key, value in FIVE[i].items() if key != "time"}
    data = {"instances": [kept]} if kind == "request" else {"predictions": [1]}
    return {
        "specversion": "1.0",
        "id": f"u-{i}",
        "type": f"org.kubeflow.serving.inference.{kind}",
        "source": "http://localhost:9081/",
        "time": f"2026-11-22T20:46:1{i}.250Z",
        "data": data,
        **changes,
    }


V1 = Schema(protocol=Instances(), path="/v1/models/m:predict", features=SCHEMA.features)


def test_events_of_a_payload_logger_are_read_and_answers_among_them_left_out(tmp_path: Path) -> None:
    lines = [event(i, kind) for i in range(5) for kind in ("request", "response")]
    log = read(tmp_path, text(lines), schema=V1, format="cloudevents")
    assert log.rows is not None
    assert log.rows.columns["amount"].values.tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert log.notes[1:] == ("traffic.jsonl: 5 events hold no request and are left out",)
    answers = refused(tmp_path, text(lines[1::2]), schema=V1, format="cloudevents")
    assert "got 0 usable lines and 5 events about something else, expected two or more" in answers
    assert "fix: record more traffic, with a logger that logs requests too" in answers
    broken = [event(0, id=""), event(1, data={}), event(2, data={"instances": [{}, {}]}), event(3, data_base64="#")]
    message = refused(tmp_path, text([*broken, event(4), event(3)]), schema=V1, format="cloudevents")
    assert "traffic.jsonl:1" in message
    assert "got no event (id: expected a text of 1 to 200 characters" in message
    assert "got no request (no_rows), expected a request as protocol instances writes it" in message
    assert "got a request of 2 rows, expected requests of one row" in message
    assert "got no event (data_base64: expected base64)" in message


def test_whole_requests_are_read_by_the_protocol_of_the_target(tmp_path: Path) -> None:
    lists = [[one["amount"], one["hour"], one["country"]] for one in FIVE]
    as_text = [
        {"time": one["time"], "body": json.dumps({"instances": [of]})} for one, of in zip(FIVE, lists, strict=True)
    ]
    for lines in (as_text, [one | {"body": json.loads(one["body"])} for one in as_text]):
        log = read(tmp_path, text(lines), schema=V1, request="/body")
        assert log.rows is not None
        assert log.rows.columns["hour"].values.tolist() == [0, 1, 2, 3, 4]
    log = read(tmp_path, as_csv(as_text), "a.csv", schema=V1, request="body")
    assert log.rows is not None
    assert log.rows.columns["country"].values.tolist() == ["RS"] * 5
    message = refused(tmp_path, text(as_text), schema=V1, request="/bdoy")
    assert 'got "/bdoy", expected a place in the lines of traffic.jsonl (/time, /body)' in message
    assert "fix: write /body" in message
    cut = [one | {"body": "{"} for one in as_text]
    assert "got no request (bad_json)" in refused(tmp_path, text(cut), schema=V1, request="/body")
    lacking = [one | {"body": {"instances": [{"amount": 1, "hour": 1}]}} for one in as_text]
    assert "expected a value of country" in refused(tmp_path, text(lacking), schema=V1, request="/body")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"zone": "Mars"}, "UTC, or an offset from it"),
        ({"features": "/a", "request": "/b"}, "features or the whole request"),
        ({"format": "cloudevents", "request": "/data"}, "none, as events hold whole requests under data"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    found, findings = read_model({"arrivals": "recorded", "log": {"file": "a.jsonl", **keys}}, RecordedLoad)
    assert found is None
    assert [one.expected for one in findings] == [said]
