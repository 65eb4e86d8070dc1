import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.protocols.encoding import Drawn, Encoder, encode
from alertdrill.protocols.json_rows import cell_value, is_json
from alertdrill.protocols.rows import Cell, Column, Rows, parse_csv
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

SCHEMA = Schema(
    features=(
        Feature(name="amount", kind=FeatureKind.NUMBER),
        Feature(name="hour", kind=FeatureKind.INTEGER),
        Feature(name="country", kind=FeatureKind.CATEGORY),
        Feature(name="sent_at", kind=FeatureKind.TIMESTAMP),
    ),
    label="fraud",
)
CSV = "amount,hour,country,sent_at,fraud\n12.5,3,CH,2026-11-22T20:46:15.250Z,0\n,,,,1\n"


def column(*values: object, dtype: object = np.float64) -> Column:
    return Column(np.array(values, dtype=dtype), np.zeros(len(values), dtype=np.uint8))


def one(kind: FeatureKind, of: Column, name: str = "x") -> list[bytes]:
    return encode(Rows({name: of}), Schema(features=(Feature(name=name, kind=kind),)))


def test_rows_of_a_csv_are_sent_as_they_stand_there_and_labels_are_not() -> None:
    rows = parse_csv(CSV, SCHEMA)
    assert encode(rows, SCHEMA) == [
        b'{"amount":12.5,"hour":3,"country":"CH","sent_at":"2026-11-22T20:46:15.250Z"}',
        b'{"amount":null,"hour":null,"country":null,"sent_at":null}',
    ]
    assert rows.labels is not None
    assert rows.labels.tolist() == ["0", "1"]


def test_a_sample_without_its_label_column_is_refused() -> None:
    with pytest.raises(KeyError, match="fraud"):
        parse_csv(CSV.replace("fraud", "other"), SCHEMA)


def test_a_null_a_missing_key_and_raw_bytes_are_three_things() -> None:
    cells = np.array([Cell.NULL, Cell.MISSING, Cell.RAW, Cell.VALUE], dtype=np.uint8)
    raw = np.array([None, None, b"NaN", None], dtype=object)
    rows = Rows({"x": Column(np.ones(4), cells, raw), "y": column(1, 2, 3, 4)})
    schema = Schema(features=(Feature(name="x", kind="number"), Feature(name="y", kind="integer")))
    assert encode(rows, schema) == [b'{"x":null,"y":1}', b'{"y":2}', b'{"x":NaN,"y":3}', b'{"x":1.0,"y":4}']


def test_an_object_may_lose_its_only_key() -> None:
    assert one(FeatureKind.NUMBER, column(1.0).with_cells(np.array([True]), Cell.MISSING)) == [b"{}"]


@pytest.mark.parametrize("name", ["100%", 'a"b', "é", "a%sb"])
def test_names_are_written_as_json_has_them(name: str) -> None:
    (body,) = one(FeatureKind.NUMBER, column(1.5), name)
    assert json.loads(body) == {name: 1.5}


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_are_read_back_to_the_last_bit(values: list[float]) -> None:
    assert [json.loads(body)["x"] for body in one(FeatureKind.NUMBER, column(*values))] == values


@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_integers_lose_their_decimals_and_what_is_no_number_is_null(values: list[float]) -> None:
    read = [json.loads(body)["x"] for body in one(FeatureKind.INTEGER, column(*values))]
    assert read == [int(value) if np.isfinite(value) else None for value in values]


@given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=10))
def test_texts_are_read_back(values: list[str]) -> None:
    texts = Column(np.array([*values, None], dtype=object)[:-1], np.zeros(len(values), dtype=np.uint8))
    assert [json.loads(body)["x"] for body in one(FeatureKind.CATEGORY, texts)] == values


def test_no_rows_are_no_bodies() -> None:
    assert one(FeatureKind.NUMBER, column()) == []


def test_timestamps_are_never_watched() -> None:
    assert not Feature(name="t", kind=FeatureKind.TIMESTAMP, watched=True).watched
    assert not Feature(name="t", kind=FeatureKind.TIMESTAMP).watched
    assert Feature(name="x", kind=FeatureKind.NUMBER).watched


def test_what_is_json_and_what_is_not() -> None:
    assert [is_json(text) for text in (b"1e3", b'"a"', b"NaN", b"", b"{")] == [True, True, False, False, False]
    assert [cell_value(text) for text in (b"1", b'"a"', b"true", b"NaN")] == [1, "a", True, b"NaN"]


def test_columns_and_rows_can_follow_each_other() -> None:
    raw = column(1.0, 2.0).with_raw(np.array([False, True]), [b'"x"'])
    both = Rows({"x": raw}).followed_by(Rows({"x": column(3.0)}))
    assert one(FeatureKind.NUMBER, both.columns["x"]) == [b'{"x":1.0}', b'{"x":"x"}', b'{"x":3.0}']
    assert one(FeatureKind.NUMBER, both.take(np.array([2, 1])).columns["x"]) == [b'{"x":3.0}', b'{"x":"x"}']


def test_edits_leave_the_column_alone() -> None:
    values = column(1.0, 2.0, 3.0)
    where = np.array([True, False, True])
    assert values.with_raw(where, b"NaN").raw is not None
    assert values.with_values(where, np.zeros(3)).values.tolist() == [0.0, 2.0, 0.0]
    nulled = values.with_cells(where, Cell.NULL)
    assert nulled.with_values(where, np.zeros(3)).values.tolist() == [1.0, 2.0, 3.0]
    assert nulled.having_value(np.ones(3, dtype=bool)).tolist() == [False, True, False]
    assert (values.raw, values.values.tolist(), values.cells.tolist()) == (None, [1, 2, 3], [0, 0, 0])


def test_of_a_sample_no_more_rows_are_written_than_were_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """To write a whole sample takes a tenth of a second, in which the load would send nothing."""
    sample = Rows({"x": column(*range(1000)), "y": column(*range(1000))})
    schema = Schema(features=(Feature(name="x", kind="number"), Feature(name="y", kind="integer")))
    drawn, plain, written = Drawn(sample, schema), Encoder.texts, list[int]()

    def counted(encoder: Encoder, cells: Column, feature: Feature) -> list[bytes]:
        written.append(len(cells.cells))
        return plain(encoder, cells, feature)

    for draw, new in (([7, 999, 8], [3, 3]), ([8, 0], [1, 1]), ([999, 7, 7, 0], [])):
        positions = np.array(draw)
        rows = sample.take(positions)
        expected = encode(rows, schema)
        with monkeypatch.context() as patch:
            patch.setattr(Encoder, "texts", counted)
            assert drawn.encode(rows, rows, positions) == expected
        assert written == new
        written.clear()
