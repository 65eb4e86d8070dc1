from dataclasses import replace

import numpy as np
from tests.unit.core.faults.contexts import cell_context, numbers, texts

from alertdrill.core.faults.row.shuffled_feature import ShuffledFeature
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind

FAULT = ShuffledFeature(kind="shuffled_feature", features=("x",), share=0.2)


def test_touched_requests_hold_the_cell_of_the_row_that_is_drawn_nulls_included():
    column, sample = numbers(0.5, 0.5, 0.5, None), numbers(1.5, 2.5, None, 4.5)
    context = cell_context(column, sample=sample, touched=[True, True, False, True])
    context = replace(context, draws=lambda name: np.array([0.0, 0.5, 0.5, 1 - 2**-53]))
    assert cell_texts(FAULT.edit_column(column, context), FeatureKind.NUMBER) == [b"1.5", b"null", b"0.5", b"4.5"]
    assert cell_texts(column, FeatureKind.NUMBER) == [b"0.5", b"0.5", b"0.5", b"null"]


def test_the_distribution_is_that_of_the_sample():
    column, sample = texts(*["z"] * 4000), texts("a", "a", "a", "b", None)
    faulted = FAULT.edit_column(column, cell_context(column, sample=sample))
    shares = [np.mean(faulted.values == text) for text in ("a", "b", "")]
    np.testing.assert_allclose(shares, [0.6, 0.2, 0.2], atol=0.03)
    assert np.mean(faulted.cells == 1) == shares[2]
