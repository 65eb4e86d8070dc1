from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.unit_change import Conversion, UnitChange
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind


def converted(column, conversion, kind=FeatureKind.NUMBER, touched=None):
    fault = UnitChange(kind="unit_change", features=("x",), share=0.2, conversion=conversion)
    return fault.edit_column(column, cell_context(column, touched, kind))


@pytest.mark.parametrize(
    ("conversion", "value", "expected"),
    [
        ("km_to_miles", 1609.344, 1000),
        ("miles_to_km", 1000, 1609.344),
        ("units_to_cents", 12.5, 1250),
        ("cents_to_units", 1250, 12.5),
        ("celsius_to_fahrenheit", 100, 212),
        ("celsius_to_fahrenheit", -40, -40),
        ("fahrenheit_to_celsius", 98.6, 37),
        ("ms_to_s", 1500, 1.5),
        ("s_to_ms", 1.5, 1500),
        ("kg_to_lb", 45.359237, 100),
        ("lb_to_kg", 100, 45.359237),
    ],
)
def test_known_equivalents_are_converted(conversion, value, expected):
    assert converted(numbers(value), conversion).values[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("conversion", get_args(Conversion))
def test_every_conversion_has_one_back(conversion):
    one, _, other = conversion.partition("_to_")
    values = np.array([-12.5, 0.0, 19.99, 3e6])
    there_and_back = converted(converted(numbers(*values), conversion), f"{other}_to_{one}")
    assert there_and_back.values == pytest.approx(values, rel=1e-14, abs=1e-13)


def test_untouched_values_and_nulls_stay():
    column = numbers(1.5, 2.5, None)
    result = converted(column, "s_to_ms", touched=[True, False, True])
    assert cell_texts(result, FeatureKind.NUMBER) == [b"1500.0", b"2.5", b"null"]
    assert column.values[0] == 1.5


def test_integers_are_rounded_and_really_change():
    result = converted(numbers(1, 5, 8, 0), "km_to_miles", FeatureKind.INTEGER)
    assert cell_texts(result, FeatureKind.INTEGER) == [b"0", b"3", b"5", b"0"]


def test_an_unknown_conversion_is_refused():
    with pytest.raises(ValidationError):
        converted(numbers(1), "km_to_parsec")
