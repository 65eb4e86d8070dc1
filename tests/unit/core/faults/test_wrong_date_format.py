import numpy as np
import pytest
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.wrong_date_format import WrongDateFormat
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell, Column
from alertdrill.protocols.schema import FeatureKind

TIMESTAMP = FeatureKind.TIMESTAMP


def written(column: Column, form: str, touched: list[bool] | None = None) -> list[bytes]:
    fields = {"kind": "wrong_date_format", "features": ["x"], "share": 1, "format": form}
    fault = WrongDateFormat.model_validate(fields)
    return cell_texts(fault.edit_column(column, cell_context(column, touched=touched, kind=TIMESTAMP)), TIMESTAMP)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("us", b'"11/22/2026"'),
        ("european", b'"22.11.2026"'),
        ("epoch_s", b"1795380375"),
        ("epoch_ms", b"1795380375250"),
        ("no_zone", b'"2026-11-22T20:46:15.250"'),
    ],
)
def test_touched_times_are_written_in_the_format(form: str, expected: bytes):
    column = numbers(1795380375.25, 1795380375.25, None)
    assert written(column, form, [True, False, True]) == [expected, b'"2026-11-22T20:46:15.250Z"', b"null"]
    assert column.raw is None


def test_times_before_the_epoch_are_negative_numbers_and_seconds_are_cut_down():
    column = numbers(-0.25)
    assert written(column, "epoch_s") == [b"-1"]
    assert written(column, "epoch_ms") == [b"-250"]


def test_a_year_of_five_digits_or_before_christ_is_written_whole():
    column = numbers(253402300800.0, -62198755200.0)
    assert cell_texts(column, TIMESTAMP) == [b'"10000-01-01T00:00:00.000Z"', b'"-001-01-01T00:00:00.000Z"']
    assert written(column, "us") == [b'"01/01/10000"', b'"01/01/-001"']


def test_a_missing_key_stays_missing():
    assert written(numbers(1.0).with_cells(np.array([True]), Cell.MISSING), "us") == [b""]
