from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alertdrill.core.log_rows import (
    Columns,
    TimeKind,
    Unusable,
    at,
    cell_reader,
    likely_features,
    names_beside,
    parts_of,
    read_time,
    zone_of,
)
from alertdrill.protocols.csv_text import to_csv
from alertdrill.protocols.rows import Cell, parse_csv
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

SCHEMA = Schema(
    features=(
        Feature(name="amount", kind=FeatureKind.NUMBER),
        Feature(name="hour", kind=FeatureKind.INTEGER),
        Feature(name="country", kind=FeatureKind.CATEGORY),
        Feature(name="seen", kind=FeatureKind.TIMESTAMP),
    ),
    label="fraud",
)
AT = datetime(2026, 9, 21, 14, 13, 20, 1812, tzinfo=UTC)
AT_US = 1_790_000_000_001_812


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1790000000.001812, TimeKind.SECONDS),
        ("1790000000.001812", TimeKind.SECONDS),
        (Decimal("1790000000.001812"), TimeKind.SECONDS),
        (1790000000001.812, TimeKind.MILLISECONDS),
        ("2026-09-21T14:13:20.001812Z", TimeKind.TEXT),
        ("2026-09-21 16:13:20.001812+02:00", TimeKind.TEXT),
        (AT, TimeKind.TEXT),
        (AT.replace(tzinfo=None), TimeKind.TEXT),
    ],
)
def test_times_are_read_in_every_way_that_they_are_written(value: object, kind: TimeKind) -> None:
    assert read_time(value) == (AT_US, kind)


@pytest.mark.parametrize("value", [0, 12.5, "0", 99_999_999_999])
def test_small_numbers_are_seconds(value: object) -> None:
    assert read_time(value)[1] is TimeKind.SECONDS


@pytest.mark.parametrize(
    "value",
    [None, True, "", "soon", -1, float("nan"), float("inf"), "1e400", 10**400, 1790000000001812, [], {}, "12:30"],
)
def test_what_is_no_time_is_said(value: object) -> None:
    with pytest.raises(Unusable, match="expected a time: epoch seconds"):
        read_time(value)


def test_a_text_without_a_zone_could_be_any_time() -> None:
    with pytest.raises(Unusable, match="expected a zone, such as Z"):
        read_time("2026-09-21T14:13:20")


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 0), ("+02:00", 2), ("-05:30", -5.5)])
def test_a_zone_is_taken_for_texts_that_name_none_and_for_no_others(zone: str, hours: float) -> None:
    away_us = round(hours * 3600e6)
    assert read_time("2026-09-21T14:13:20.001812", zone_of(zone))[0] == AT_US - away_us
    assert read_time("2026-09-21T14:13:20.001812Z", zone_of(zone))[0] == AT_US


@pytest.mark.parametrize("text", ["", "2", "+2:00", "+24:00", "+02:60", "Europe/Belgrade"])
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        zone_of(text)


def test_places_are_names_or_pointers() -> None:
    line = {"a/b": 1, "c": {"~": [10, {"d": 2}]}, "/x": 3}
    for place, value in (("a/b", 1), ("/a~1b", 1), ("/c/~0/0", 10), ("/c/~0/1/d", 2)):
        assert at(line, parts_of(place)) == value
    for place in ("/c/x", "/c/~0/7", "/c/~0/x", "/a~1b/x", "c/~"):
        with pytest.raises(LookupError):
            at(line, parts_of(place))


def test_names_that_could_be_meant_are_those_where_the_place_goes_wrong() -> None:
    line = {"at": 1, "request": {"instances": [{"x": 1}, {}], "a/b": 2}}
    assert names_beside(line, "tme") == ("at", "request")
    assert names_beside(line, "/tme") == ("/at", "/request")
    assert names_beside(line, "/request/instance/0") == ("/request/instances", "/request/a~1b")
    assert names_beside(line, "/request/instances/5") == ("/request/instances/0", "/request/instances/1")
    assert names_beside(line, "/at/x") == ()


def test_the_object_that_looks_like_features_is_found() -> None:
    names = frozenset({"amount", "hour"})
    assert likely_features({"amount": 1, "request": [{}, {"hour": 1, "amount": 2}]}, names) == "/request/1"
    assert likely_features({"amount": 1, "hour": 1, "copy": {"hour": 1}}, names) == ""
    assert likely_features({"x": {"y": 1}}, names) is None


def cell(kind: FeatureKind, value: object, from_text: bool = False) -> object:
    return cell_reader(Feature(name="x", kind=kind), from_text)(value)


def test_cells_hold_what_the_line_says() -> None:
    assert cell(FeatureKind.NUMBER, 12.5) == cell(FeatureKind.NUMBER, "12.5", True) == 12.5
    assert cell(FeatureKind.NUMBER, 7) == cell(FeatureKind.INTEGER, 7) == cell(FeatureKind.INTEGER, "7", True) == 7
    assert cell(FeatureKind.INTEGER, 7.0) == cell(FeatureKind.INTEGER, "7.0", True) == 7
    assert cell(FeatureKind.NUMBER, Decimal("1.5")) == 1.5
    assert cell(FeatureKind.CATEGORY, "RS") == "RS"
    assert cell(FeatureKind.TIMESTAMP, "2026-09-21T14:13:20.001812Z") == AT_US / 1e6
    assert cell(FeatureKind.TIMESTAMP, "2026-09-21T14:13:20.001812") == AT_US / 1e6


@pytest.mark.parametrize("kind", FeatureKind)
def test_nothing_is_a_null_whatever_the_kind(kind: FeatureKind) -> None:
    for from_text in (False, True):
        assert cell(kind, None, from_text) is None
        assert cell(kind, "", from_text) is None
    assert cell(FeatureKind.NUMBER, "nan", True) is None
    assert cell(FeatureKind.NUMBER, float("nan")) is None


@pytest.mark.parametrize(
    ("kind", "value", "from_text"),
    [
        (FeatureKind.NUMBER, "12.5", False),
        (FeatureKind.NUMBER, True, False),
        (FeatureKind.NUMBER, "twelve", True),
        (FeatureKind.NUMBER, "1_000", True),
        (FeatureKind.NUMBER, "inf", True),
        (FeatureKind.NUMBER, "1e999", True),
        (FeatureKind.NUMBER, 10**400, False),
        (FeatureKind.NUMBER, [1], False),
        (FeatureKind.INTEGER, 7.5, False),
        (FeatureKind.INTEGER, "7.5", True),
        (FeatureKind.INTEGER, 2**53 + 1, False),
        (FeatureKind.INTEGER, str(2**53 + 1), True),
        (FeatureKind.CATEGORY, 7, False),
        (FeatureKind.CATEGORY, "x" * 100_001, False),
        (FeatureKind.TIMESTAMP, 1790000000, False),
        (FeatureKind.TIMESTAMP, "soon", False),
    ],
)
def test_a_value_of_another_kind_makes_the_line_unusable(kind: FeatureKind, value: object, from_text: bool) -> None:
    with pytest.raises(Unusable, match="got x: "):
        cell(kind, value, from_text)


def columns(*lines: dict[str, Any], from_text: bool = False) -> Columns:
    found = Columns(SCHEMA, from_text)
    for line in lines:
        found.add(line, line)
    return found


ROW = {"amount": 1.5, "hour": 3, "country": "RS", "seen": "2026-09-21T14:13:20.001Z", "fraud": 1}


def test_rows_come_in_the_order_that_is_asked_for() -> None:
    rows = columns(ROW, ROW | {"amount": 2.5, "country": None, "fraud": False}).rows(np.array([1, 0]))
    assert rows.columns["amount"].values.tolist() == [2.5, 1.5]
    assert rows.columns["country"].cells.tolist() == [Cell.NULL, Cell.VALUE]
    assert rows.labels is not None
    assert rows.labels.tolist() == ["false", "1"]


def test_a_line_that_cannot_be_used_leaves_nothing_behind() -> None:
    found = columns(ROW)
    with pytest.raises(Unusable):
        found.add(ROW | {"seen": 5}, ROW)
    assert len(found.rows(np.array([0]))) == 1
    assert len(found.rows(np.array([0])).columns["amount"].values) == 1


def test_nulls_are_told_from_what_only_became_one() -> None:
    found = columns({"amount": None, "hour": 1, "country": ""})
    assert found.nulls == {"amount": 1, "hour": 0, "country": 1, "seen": 1}
    assert found.changed == {"amount": 0, "hour": 0, "country": 1, "seen": 1}
    assert columns({"amount": "", "hour": "1"}, from_text=True).changed == dict.fromkeys(SCHEMA.names(), 0)


@example([{"amount": 1e-300, "hour": -1, "country": '\r"\n, ', "seen": None, "fraud": "0"}])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "amount": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "hour": st.none() | st.integers(-(2**53), 2**53),
                "country": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
                "seen": st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
                    lambda one: one.replace(microsecond=one.microsecond // 1000 * 1000).isoformat() + "Z"
                ),
                "fraud": st.sampled_from(["0", "1"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)  # fmt: skip
def test_rows_written_as_csv_are_read_back(lines: list[dict[str, Any]]) -> None:
    rows = columns(*lines).rows(np.arange(len(lines)))
    again = parse_csv(to_csv(rows, SCHEMA), SCHEMA)
    assert rows.labels is not None
    assert again.labels is not None
    assert again.labels.tolist() == rows.labels.tolist()
    for name, column in rows.columns.items():
        there = column.cells == Cell.VALUE
        assert again.columns[name].cells.tolist() == column.cells.tolist()
        assert again.columns[name].values[there].tolist() == column.values[there].tolist()
