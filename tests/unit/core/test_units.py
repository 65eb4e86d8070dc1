import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from alertdrill.core.errors import BadValue
from alertdrill.core.units import (
    ComparedWith,
    Comparison,
    DurationS,
    RatePerS,
    Share,
    Shift,
    ShiftBy,
    format_duration,
    format_rate,
    format_share,
    parse_comparison,
    parse_duration,
    parse_rate,
    parse_share,
    parse_shift,
)


class Everything(BaseModel):
    share: Share
    duration: DurationS
    rate: RatePerS
    shift: Shift
    comparison: Comparison


@pytest.mark.parametrize(
    ("written", "share"), [("20%", 0.2), (0.2, 0.2), ("0.2", 0.2), ("12.5 %", 0.125), (0, 0.0), ("100%", 1.0), (1, 1.0)]
)
def test_a_share_is_a_percentage_or_a_part_of_one(written: object, share: float) -> None:
    assert parse_share(written) == share


@pytest.mark.parametrize(
    "written", [20, 1.01, "101%", "-1%", -0.1, True, None, "a fifth", math.nan, math.inf, [], "1e3%"]
)
def test_other_shares_are_refused(written: object) -> None:
    with pytest.raises(BadValue):
        parse_share(written)


def test_a_percentage_without_its_sign_is_told_both_ways_to_write_it() -> None:
    with pytest.raises(BadValue) as caught:
        parse_share(20)
    assert caught.value.fix == "write 0.2 or 20%"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("500ms", 0.5),
        ("15m", 900),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1.5s", 1.5),
        ("0s", 0),
        ("400ms", 0.4),
    ],
)
def test_a_duration_has_a_unit(written: str, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "s", "30", 30, "1:30", "30 seconds", "-3s", "30m1h", "1s1s", None, True, math.nan]
)
def test_other_durations_are_refused(written: object) -> None:
    with pytest.raises(BadValue):
        parse_duration(written)


def test_a_bare_number_is_told_which_unit_to_write() -> None:
    with pytest.raises(BadValue) as duration:
        parse_duration(30)
    with pytest.raises(BadValue) as rate:
        parse_rate(100)
    assert duration.value.fix.startswith("write 30s ")
    assert rate.value.fix.startswith("write 100/s ")


@given(st.integers(0, 10**9))
def test_durations_of_whole_milliseconds_survive_their_text(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.floats(0, 1e9))
def test_any_duration_survives_its_text_to_a_femtosecond(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1e-15, abs=1e-15)


def test_durations_are_written_short() -> None:
    assert [format_duration(s) for s in (0, 0.4, 1.5, 90, 5400, 900)] == [
        "0s",
        "400ms",
        "1s500ms",
        "1m30s",
        "1h30m",
        "15m",
    ]


@pytest.mark.parametrize(("written", "rate_per_s"), [("100/s", 100), ("6000/m", 100), ("0.5/s", 0.5), ("3600 / h", 1)])
def test_a_rate_has_a_unit(written: str, rate_per_s: float) -> None:
    assert parse_rate(written) == rate_per_s


@pytest.mark.parametrize("written", [100, "100", "0/s", "-1/s", "100/day", "/s", None, True, math.inf])
def test_other_rates_are_refused(written: object) -> None:
    with pytest.raises(BadValue):
        parse_rate(written)


def test_rates_and_shares_are_written_short() -> None:
    assert (format_rate(100.0), format_rate(0.5), format_share(0.2), format_share(0.125)) == (
        "100/s",
        "0.5/s",
        "20%",
        "12.5%",
    )


def test_a_shift_counts_standard_deviations_or_the_feature_s_own_unit() -> None:
    assert parse_shift("1.5sd").absolute(4.0) == 6.0
    assert parse_shift("-1sd") == ShiftBy(-1.0, in_sd=True)
    assert parse_shift(250).absolute(4.0) == 250.0


@pytest.mark.parametrize("written", ["1 sigma", "sd", None, True, math.inf, "1e400sd"])
def test_other_shifts_are_refused(written: object) -> None:
    with pytest.raises(BadValue):
        parse_shift(written)


@pytest.mark.parametrize(
    ("written", "value", "holds"),
    [
        ("== 0", 0, True),
        ("<0.2", 0.2, False),
        ("<= 0.2", 0.2, True),
        ("!= -1e3", -1000, False),
        (">= 1", math.nan, False),
    ],
)
def test_a_comparison_holds_as_in_promql(written: str, value: float, holds: bool) -> None:
    assert parse_comparison(written).holds(value) is holds


@pytest.mark.parametrize("written", [0, "0", "= 0", "== zero", "=> 1", None, True, "== 1e999"])
def test_other_comparisons_are_refused(written: object) -> None:
    with pytest.raises(BadValue):
        parse_comparison(written)


def test_quantities_survive_json() -> None:
    values = {"share": "20%", "duration": "400ms", "rate": "6000/m", "shift": "-1.5sd", "comparison": "< 0.2"}
    read = Everything.model_validate(values)
    assert read.comparison == ComparedWith("<", 0.2)
    assert Everything.model_validate_json(read.model_dump_json()) == read


def test_a_model_keeps_what_was_expected_and_how_to_mend_it() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Share).validate_python(20)
    reason = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(reason, BadValue)
    assert reason.expected == "a share from 0 to 1"


def test_the_json_schema_documents_the_text_form() -> None:
    properties = Everything.model_json_schema()["properties"]
    assert {name: schema["examples"][0] for name, schema in properties.items()} == {
        "share": "20%",
        "duration": "30s",
        "rate": "100/s",
        "shift": "1sd",
        "comparison": "== 0",
    }
