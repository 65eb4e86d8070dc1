import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alertdrill.adapters import log_lines
from alertdrill.adapters.traffic_log import read_log
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import Log, RecordedLoad
from alertdrill.core.scenario.reading import read_model
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

SCHEMA = Schema(
    features=(
        Feature(name="amount", kind=FeatureKind.NUMBER),
        Feature(name="hour", kind=FeatureKind.INTEGER),
        Feature(name="country", kind=FeatureKind.CATEGORY),
    )
)
T0 = 1_790_000_000


def row(i: int, **changes: Any) -> dict[str, Any]:
    return {"time": T0 + i / 2, "amount": 1.5 + i, "hour": i % 24, "country": "RS"} | changes


def text(lines: list[Any]) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines)


def scenario(folder: Path, file: str, **keys: Any) -> tuple[Path, Log]:
    path = folder / "drill.yaml"
    log = {"file": file, **keys}
    path.write_text(
        "version: 1\nname: drill\ntarget: {bundled: fraud}\n"
        f"load:\n  arrivals: recorded\n  log: {json.dumps(log)}\n"
        "phases: [{name: one, duration: 5s}]\n"
    )
    load, findings = read_model({"arrivals": "recorded", "log": log}, RecordedLoad)
    assert load is not None, findings
    return path, load.log


def read(
    folder: Path, content: str | bytes, name: str = "traffic.jsonl", schema: Schema = SCHEMA, **keys: Any
) -> TrafficLog:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return read_log(*scenario(folder, name, **keys), schema)


def refused(folder: Path, content: str | bytes, name: str = "traffic.jsonl", **keys: Any) -> str:
    with pytest.raises(BadInput) as error:
        read(folder, content, name, **keys)
    assert error.value.exit_code == 2
    return str(error.value).replace(str(folder), "DIR")


ROWS = [row(i) for i in range(20)]


def as_csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def same(one: TrafficLog) -> None:
    assert one.at_us.tolist() == [i * 500_000 for i in range(20)]
    assert one.rows is not None
    assert one.rows.columns["amount"].values.tolist() == [1.5 + i for i in range(20)]
    assert one.rows.columns["hour"].values.tolist() == [i % 24 for i in range(20)]
    assert set(one.rows.columns["country"].values.tolist()) == {"RS"}


# What can be read


def test_json_lines_and_csv_say_the_same_compressed_or_not(tmp_path: Path) -> None:
    for name, content in (("a.jsonl", text(ROWS)), ("a.csv", as_csv(ROWS)), ("A.NDJSON", text(ROWS))):
        same(read(tmp_path, content, name))
        same(read(tmp_path, gzip.compress(content.encode()), f"{name}.gz"))
        same(read(tmp_path, b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode(), name))


def test_blank_lines_are_no_lines(tmp_path: Path) -> None:
    one = read(tmp_path, text(ROWS).replace("\n", "\n \n\n"))
    same(one)
    assert len(one.notes) == 1


def test_places_of_time_and_features_are_pointers(tmp_path: Path) -> None:
    deep = [{"at": {"ms": one["time"] * 1000}, "request": {"instances": [one]}} for one in ROWS]
    same(read(tmp_path, text(deep), time="/at/ms", features="/request/instances/0"))


def test_features_that_the_target_does_not_take_are_left_out(tmp_path: Path) -> None:
    one = read(tmp_path, text([one | {"user": "x"} for one in ROWS]))
    assert one.rows is not None
    assert list(one.rows.columns) == ["amount", "hour", "country"]


def test_of_times_alone_nothing_else_is_read(tmp_path: Path) -> None:
    one = read(tmp_path, text([{"time": i["time"], "amount": "?"} for i in ROWS]), send="times")
    assert (len(one.at_us), one.rows) == (20, None)


def test_lines_are_sorted_by_time_and_counted_where_they_were_not(tmp_path: Path) -> None:
    one = read(tmp_path, text([*ROWS[5:10], *ROWS[:5], *ROWS[10:]]))
    same(one)
    assert "traffic.jsonl: 5 lines came after a later one, and are sorted by time" in one.notes


def test_what_is_read_is_said(tmp_path: Path) -> None:
    (note,) = read(tmp_path, text(ROWS)).notes
    assert note == "traffic.jsonl: 20 requests over 9s500ms from 2026-09-21T14:13:20+00:00, times in epoch seconds"


def test_nulls_that_the_log_does_not_have_are_said(tmp_path: Path) -> None:
    lines = [ROWS[0] | {"country": ""}, {"time": T0 + 1, "amount": 3, "hour": None}, *ROWS[4:]]
    notes = read(tmp_path, text(lines)).notes[1:]
    assert notes == ("traffic.jsonl: 2 requests send null for country: their lines lack it, or have an empty text",)


def test_a_few_broken_lines_are_left_out_and_said(tmp_path: Path) -> None:
    broken = ["{", json.dumps([1]), row(3, amount="x"), {"amount": 1}, row(5, time="soon"), row(6, hour=1.5)]
    lines = [*ROWS[:3], *broken[:2], *[row(i) for i in range(3, 300)], *broken[2:]]
    one = read(tmp_path, text(lines), broken="2%")
    assert len(one.at_us) == 300
    (note,) = one.notes[1:]
    assert note.startswith("traffic.jsonl: 6 of 306 lines left out (lines 4, 5, 303, 304, 305, …); line 4: got no JSON")
    assert "expected one JSON object a line" in note


def test_a_csv_line_with_too_few_fields_is_broken_and_one_with_a_break_inside_quotes_is_not(tmp_path: Path) -> None:
    lines = as_csv([one | {"country": "R\nS"} for one in ROWS]) + "1,2\n"
    one = read(tmp_path, lines, "a.csv", broken="10%")
    assert one.rows is not None
    assert set(one.rows.columns["country"].values.tolist()) == {"R\nS"}
    assert "line 42: got 2 fields, expected 4, one for each column" in one.notes[1]


# What cannot


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    junk = np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    for name in ("a.jsonl", "a.csv"):
        assert "DIR/a" in refused(tmp_path, junk, name)
        assert "got binary data, expected text, as the name ends in" in refused(tmp_path, junk, name)
        assert "got an empty file" in refused(tmp_path, "", name)
        assert "got an empty file" in refused(tmp_path, "\n \n", name)
    assert "got a name that ends in .txt, expected .jsonl, .ndjson, .log or .csv" in refused(
        tmp_path, text(ROWS), "a.txt"
    )
    assert "got a name that ends in nothing" in refused(tmp_path, text(ROWS), "traffic")
    assert "fix: compress it again, or give it without .gz" in refused(tmp_path, text(ROWS), "a.jsonl.gz")
    cut = gzip.compress(text(ROWS * 500).encode())[:-2000]
    assert "fix: compress it again, or give it without .gz" in refused(tmp_path, cut, "a.jsonl.gz")
    assert "got no JSON" in refused(tmp_path, "no log at all\n" * 30)


def test_a_folder_or_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    for name, got in (("a.jsonl", "Is a directory"), ("b.csv", "No such file or directory")):
        path, log = scenario(tmp_path, name)
        with pytest.raises(BadInput, match=f"got {got}"):
            read_log(path, log, SCHEMA)


def test_too_many_broken_lines_are_shown_each_with_its_number(tmp_path: Path) -> None:
    message = refused(tmp_path, text(["{", *ROWS, row(1, amount=True)]))
    wrong = "mend or remove what cannot be used (9.09% of 22 lines: lines 1, 22), or raise load.log.broken above 1%"
    first = "  got no JSON (unexpected end of data), expected one JSON object a line"
    assert message == (
        f"DIR/traffic.jsonl:1\n{first}\n  fix: {wrong}\n\n"
        f"DIR/traffic.jsonl:22\n  got amount: True, expected a number\n  fix: {wrong}"
    )


def test_a_wrong_name_of_the_time_is_a_mistake_of_the_scenario(tmp_path: Path) -> None:
    message = refused(tmp_path, text(ROWS), time="tiem")
    assert "drill.yaml:6:" in message
    assert 'got "tiem", expected a place in the lines of traffic.jsonl (time, amount, hour, country)' in message
    assert "fix: write time" in message
    assert 'got "tiem"' in refused(tmp_path, as_csv(ROWS), "a.csv", time="tiem")
    deep = [{"event": {"timestamp": T0 + i}, "amount": 1} for i in range(5)]
    assert "fix: write /event/timestamp" in refused(tmp_path, text(deep), time="/event/timestmp")
    renamed = [{"timestamp": one.pop("time"), **one} for one in [dict(one) for one in ROWS]]
    message = refused(tmp_path, text(renamed))
    assert "load.log.time\n" in message
    assert "got no time in traffic.jsonl" in message
    assert "fix: write time: timestamp" in message


def test_features_in_another_place_are_found_and_said(tmp_path: Path) -> None:
    deep = [{"time": one["time"], "request": {"instances": [one]}} for one in ROWS]
    for keys in ({}, {"features": "/request"}, {"features": "/request/instances/1"}):
        message = refused(tmp_path, text(deep), **keys)
        assert "load.log.features\n" in message
        assert "expected a value of amount, hour, country in one line of traffic.jsonl at least" in message
        assert "fix: write features: /request/instances/0" in message
    assert "fix: remove it: the line itself has them" in refused(tmp_path, text(ROWS), features="/request")


def test_a_feature_that_no_line_has_is_said(tmp_path: Path) -> None:
    message = refused(tmp_path, text([one | {"hour": None} for one in ROWS]))
    assert "expected a value of hour in one line" in message
    assert "fix: give a log that has them, or write send: times" in message
    assert read(tmp_path, text([{"time": one["time"]} for one in ROWS]), send="times").rows is None


def test_a_csv_file_has_no_objects(tmp_path: Path) -> None:
    assert 'got "/x", expected no features' in refused(tmp_path, as_csv(ROWS), "a.csv", features="/x")
    assert "got two columns time" in refused(tmp_path, "time,time\n1,2\n", "a.csv")


def test_a_log_needs_two_lines_at_two_times(tmp_path: Path) -> None:
    assert "got 1 usable line, expected two or more" in refused(tmp_path, text(ROWS[:1]))
    assert "got one time in all 5 lines" in refused(tmp_path, text([row(1)] * 5))


def test_times_are_written_in_one_way(tmp_path: Path) -> None:
    mixed = [*ROWS, row(0, time=T0 * 1000), row(0, time="2026-09-21T14:13:20Z")]
    message = refused(tmp_path, text(mixed))
    assert f"got {T0 * 1000}, epoch milliseconds, expected epoch seconds, as in the lines before" in message
    assert "got '2026-09-21T14:13:20Z', ISO 8601, expected epoch seconds" in message


def test_a_file_without_any_usable_line_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = refused(tmp_path, "{}\n" * 5000)
    assert "load.log.time" in message
    junk = refused(tmp_path, "?\n" * 5000)
    assert "100% of 1,000 lines" in junk


def test_lines_without_end_and_files_without_end_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = text([*ROWS, {"time": T0, "amount": "x" * (3 << 20)}])
    one = read(tmp_path, long + text(ROWS[10:]), broken="50%")
    assert "line 21: got a longer line, expected lines of at most 1 MB" in one.notes[1]
    assert len(one.at_us) == 30
    monkeypatch.setattr(log_lines, "MOST_BYTES", 1 << 20)
    assert "expected at most 1 MB, uncompressed" in refused(tmp_path, long)
    quoted = as_csv(ROWS) + '1,"' + "x\n" * 200_000
    assert "no CSV (field larger than field limit" in refused(tmp_path, quoted, "a.csv")


# Parquet


def test_parquet_needs_pyarrow_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    message = refused(tmp_path, b"PAR1", "a.parquet")
    assert "got a Parquet file, and no pyarrow" in message
    assert "fix: pip install 'alertdrill[parquet]'" in message
    assert "got an empty file" in refused(tmp_path, b"", "a.parquet")


def test_parquet_says_what_json_lines_say(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.Table.from_pylist([{"at": one["time"], "request": one} for one in ROWS])
    ns = pyarrow.array([int(one["time"] * 1e9) + 1 for one in ROWS], pyarrow.timestamp("ns"))
    table = table.append_column("when", ns)
    parquet.write_table(table, tmp_path / "a.parquet")
    for place in ("/at", "when", "/request/time"):
        same(read_log(*scenario(tmp_path, "a.parquet", time=place, features="/request"), SCHEMA))
    with pytest.raises(BadInput, match="fix: write when"):
        read_log(*scenario(tmp_path, "a.parquet", time="whem", features="/request"), SCHEMA)
    assert "expected a Parquet file" in refused(tmp_path, text(ROWS), "b.parquet")
    damaged = bytearray((tmp_path / "a.parquet").read_bytes())
    damaged[10:200] = bytes(190)
    assert "Parquet file" in refused(tmp_path, bytes(damaged), "c.parquet", time="/at", features="/request")
