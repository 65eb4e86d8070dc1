import json
import math

import orjson
import pytest
from tests.unit.core.faults.contexts import cell_context, numbers, texts

from alertdrill.core.faults.row.not_a_number import NotANumber
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

FAULT = NotANumber(kind="not_a_number", features=("x",), share=0.2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_bytes_are_what_python_writes_for_the_same_number(value):
    literal = {"nan": "nan", "inf": "infinity", "-inf": "-infinity"}[str(value)]
    fault = NotANumber(kind="not_a_number", features=("x",), share=0.2, literal=literal)
    column = numbers(1.5, 2.5)
    written = cell_texts(fault.edit_column(column, cell_context(column, [True, False])), FeatureKind.NUMBER)
    assert written == [json.dumps(value).encode(), b"2.5"]


def test_the_body_is_refused_by_a_strict_parser_and_read_by_a_lax_one():
    column = numbers(1.5)
    faulted = Rows({"x": FAULT.edit_column(column, cell_context(column))})
    (body,) = encode(faulted, Schema(features=(Feature(name="x", kind=FeatureKind.NUMBER),)))
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)
    assert math.isnan(json.loads(body)["x"])


def test_nulls_become_the_literal_too_and_absent_keys_stay_absent():
    column = texts("DE", None, "FR").with_cells(numbers(0, 0, 1).values == 1, Cell.MISSING)
    assert cell_texts(FAULT.edit_column(column, cell_context(column)), FeatureKind.CATEGORY) == [b"NaN", b"NaN", b""]


def test_the_column_that_is_given_is_left_alone():
    column = numbers(1.5, 2.5)
    FAULT.edit_column(column, cell_context(column))
    assert column.cells.tolist() == [0, 0]
    assert column.raw is None
