from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.future_timestamp import FutureTimestamp
from alertdrill.protocols.json_rows import cell_texts, iso_texts
from alertdrill.protocols.schema import FeatureKind

TIMESTAMP = FeatureKind.TIMESTAMP
FAULT = FutureTimestamp(kind="future_timestamp", features=("x",), share=0.2)
LEAP_DAY = datetime(2024, 2, 29, 6, 30, tzinfo=UTC).timestamp()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_touched_times_get_the_year_and_keep_day_and_time():
    column = numbers(1795380375.25, 1795380375.25, None)
    faulted = FAULT.edit_column(column, cell_context(column, touched=[True, False, True], kind=TIMESTAMP))
    assert cell_texts(faulted, TIMESTAMP) == [b'"2099-11-22T20:46:15.250Z"', b'"2026-11-22T20:46:15.250Z"', b"null"]
    assert np.isnan(faulted.values[2])
    assert column.values[0] == 1795380375.25


def test_a_leap_day_becomes_the_first_of_march_where_the_year_has_none():
    column = numbers(LEAP_DAY)
    context = cell_context(column, kind=TIMESTAMP)
    assert iso_texts(FAULT.edit_column(column, context).values).tolist() == ["2099-03-01T06:30:00.000Z"]
    leap = FutureTimestamp(kind="future_timestamp", features=("x",), share=0.2, year=2096)
    assert iso_texts(leap.edit_column(column, context).values).tolist() == ["2096-02-29T06:30:00.000Z"]


@settings(max_examples=50)
@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from([2096, 2099, 9999]),
)
def test_only_the_year_changes(moment: datetime, year: int):
    leap_day = (moment.month, moment.day) == (2, 29)
    column = numbers((moment.replace(tzinfo=UTC) - EPOCH) / timedelta(seconds=1))
    fault = FutureTimestamp(kind="future_timestamp", features=("x",), share=0.2, year=year)
    (text,) = iso_texts(fault.edit_column(column, cell_context(column, kind=TIMESTAMP)).values).tolist()
    rest = moment.replace(month=3, day=1) if leap_day and year != 2096 else moment
    assert text == f"{year}-{rest:%m-%dT%H:%M:%S}.000Z"


@pytest.mark.parametrize("year", [2029, 10000])
def test_a_year_that_is_past_or_has_five_digits_is_refused(year: int):
    with pytest.raises(ValidationError, match="year"):
        FutureTimestamp(kind="future_timestamp", features=("x",), share=0.2, year=year)
