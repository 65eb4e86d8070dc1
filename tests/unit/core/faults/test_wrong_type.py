import numpy as np
import pytest
from tests.unit.core.faults.contexts import cell_context, numbers, texts

from alertdrill.core.faults.row.wrong_type import WrongType
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Column
from alertdrill.protocols.schema import FeatureKind

NOON = 1795348800.0


def written(column: Column, to: str, kind: FeatureKind) -> list[bytes]:
    fault = WrongType.model_validate({"kind": "wrong_type", "features": ["x"], "share": 1, "to": to})
    context = cell_context(column, kind=kind, sample=numbers(1.0))
    return cell_texts(fault.edit_column(column, context), kind)


@pytest.mark.parametrize(
    ("to", "expected"),
    [("boolean", b"true"), ("integer", b"12"), ("list", b"[12.5]"), ("object", b'{"value":12.5}')],
)
def test_a_number_is_written_as_the_type(to: str, expected: bytes):
    assert written(numbers(12.5, None), to, FeatureKind.NUMBER) == [expected, b"null"]


def test_a_boolean_is_the_truth_of_what_would_have_been_written():
    assert written(numbers(0.0, -0.0, 0.4, -3.0), "boolean", FeatureKind.NUMBER) == [
        b"false",
        b"false",
        b"true",
        b"true",
    ]
    assert written(numbers(0.4, 1.0), "boolean", FeatureKind.INTEGER) == [b"false", b"true"]
    assert written(texts("DE", ""), "boolean", FeatureKind.CATEGORY) == [b"true", b"false"]


def test_an_integer_is_cut_towards_zero_even_when_huge():
    assert written(numbers(-12.9, 3.0, 1e300), "integer", FeatureKind.NUMBER) == [b"-12", b"3", b"%d" % int(1e300)]


def test_integer_changes_numbers_alone():
    assert written(texts("DE"), "integer", FeatureKind.CATEGORY) == [b'"DE"']
    assert written(numbers(3.0), "integer", FeatureKind.INTEGER) == [b"3"]
    assert written(numbers(NOON), "integer", FeatureKind.TIMESTAMP) == [b'"2026-11-22T12:00:00.000Z"']


def test_texts_and_timestamps_are_wrapped_as_they_are_written():
    assert written(texts('a "b"'), "list", FeatureKind.CATEGORY) == [rb'["a \"b\""]']
    assert written(numbers(NOON), "object", FeatureKind.TIMESTAMP) == [b'{"value":"2026-11-22T12:00:00.000Z"}']


def test_untouched_cells_and_the_input_stay():
    column = numbers(1.5, 2.5)
    fault = WrongType(kind="wrong_type", features=("x",), share=0.2, to="boolean")
    faulted = fault.edit_column(column, cell_context(column, touched=[False, True]))
    assert cell_texts(faulted, FeatureKind.NUMBER) == [b"1.5", b"true"]
    assert column.raw is None
    assert np.array_equal(column.values, [1.5, 2.5])
