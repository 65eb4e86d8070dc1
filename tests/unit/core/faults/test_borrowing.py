import numpy as np
from tests.unit.core.faults.contexts import numbers, texts

from alertdrill.core.faults.shared.borrowing import with_borrowed
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind


def test_marked_rows_hold_the_lenders_cells_and_the_input_stays():
    column, lender = texts("a", "b", None), texts("x", "y", "z")
    borrowed = with_borrowed(column, np.array([True, False, True]), lender)
    assert borrowed.values.tolist() == ["x", "b", "z"]
    assert borrowed.cells.tolist() == [Cell.VALUE] * 3
    assert column.values.tolist() == ["a", "b", ""]
    assert column.cells.tolist() == [Cell.VALUE, Cell.VALUE, Cell.NULL]


def test_a_null_is_lent_too():
    borrowed = with_borrowed(numbers(1.5, 2.5), np.ones(2, dtype=bool), numbers(None, 9.5))
    assert cell_texts(borrowed, FeatureKind.NUMBER) == [b"null", b"9.5"]


def test_missing_keys_and_raw_bytes_keep_their_rows_as_they_are():
    first, second = np.array([True, False]), np.array([False, True])
    held = numbers(1.5, 2.5).with_cells(first, Cell.MISSING).with_raw(second, b"NaN")
    clean = numbers(8.5, 9.5)
    every = np.ones(2, dtype=bool)
    assert cell_texts(with_borrowed(held, every, clean), FeatureKind.NUMBER) == [b"", b"NaN"]
    assert cell_texts(with_borrowed(clean, every, held), FeatureKind.NUMBER) == [b"8.5", b"9.5"]
