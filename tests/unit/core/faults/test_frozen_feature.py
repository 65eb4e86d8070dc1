from dataclasses import replace

import numpy as np
from tests.unit.core.faults.contexts import cell_context, numbers, texts

from alertdrill.core.faults.row.frozen_feature import FrozenFeature
from alertdrill.protocols.rows import Column

FAULT = FrozenFeature(kind="frozen_feature", features=("x",), share=0.2)


def frozen(column: Column, segment: Column, sample: Column | None = None, touched: list[bool] | None = None) -> Column:
    context = cell_context(column, sample=sample, touched=touched)
    return FAULT.edit_column(column, replace(context, clean=lambda indices: segment.take(np.asarray(indices))))


def test_touched_values_are_that_of_the_first_request_whatever_the_batch():
    column = numbers(2.5, 3.5, None)
    faulted = frozen(column, segment=numbers(9.5, 8.5), touched=[True, False, True])
    assert faulted.values[:2].tolist() == [9.5, 3.5]
    assert faulted.cells.tolist() == column.cells.tolist()
    assert column.values[:2].tolist() == [2.5, 3.5]


def test_texts_freeze_too():
    assert frozen(texts("DE", "NL"), segment=texts("ITALY")).values.tolist() == ["ITALY", "ITALY"]


def test_a_null_at_the_start_gives_way_to_the_first_value_of_the_sample():
    faulted = frozen(numbers(2.5), segment=numbers(None), sample=numbers(None, 7.5, 6.5))
    assert faulted.values.tolist() == [7.5]


def test_a_feature_without_any_value_stays_as_it_is():
    column = texts(None, None)
    assert frozen(column, segment=column).cells.tolist() == column.cells.tolist()
