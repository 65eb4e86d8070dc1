import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers, row_context, texts

from alertdrill.core.faults.base import RowContext
from alertdrill.core.faults.row.feature_swap import FeatureSwap
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.rows import Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

FAULT = FeatureSwap(kind="feature_swap", features=("a", "b"), share=0.2)
NUMBER, INTEGER, CATEGORY, TIMESTAMP = FeatureKind


def schema(one: FeatureKind, other: FeatureKind) -> Schema:
    return Schema(features=(Feature(name="a", kind=one), Feature(name="b", kind=other)))


def test_touched_rows_trade_values_and_nulls():
    rows = Rows({"a": texts("x", "x", None), "b": texts("y", "y", "y")})
    faulted = FAULT.edit(rows, row_context(rows, {"a": [True, False, True], "b": [True, False, True]}))
    assert encode(faulted, schema(CATEGORY, CATEGORY)) == [
        b'{"a":"y","b":"x"}',
        b'{"a":"x","b":"y"}',
        b'{"a":"y","b":null}',
    ]
    assert encode(rows, schema(CATEGORY, CATEGORY))[0] == b'{"a":"x","b":"y"}'


def test_a_number_loses_its_decimals_where_an_integer_belongs():
    rows = Rows({"a": numbers(12.5), "b": numbers(3.0)})
    contexts = {"a": cell_context(rows.columns["a"]), "b": cell_context(rows.columns["b"], kind=INTEGER)}
    assert encode(FAULT.edit(rows, RowContext(contexts)), schema(NUMBER, INTEGER)) == [b'{"a":3.0,"b":12}']


def test_the_cells_of_the_first_named_feature_decide():
    rows = Rows({"b": numbers(1.0, 2.0), "a": numbers(8.0, 9.0)})
    faulted = FAULT.edit(rows, row_context(rows, {"b": [False, True], "a": [True, False]}))
    assert faulted.columns["a"].values.tolist() == [1.0, 9.0]
    assert faulted.columns["b"].values.tolist() == [8.0, 2.0]


def test_a_row_with_raw_bytes_is_left_as_it_is():
    rows = Rows({"a": numbers(1.5).with_raw(np.array([True]), b"NaN"), "b": numbers(2.5)})
    assert encode(FAULT.edit(rows, row_context(rows)), schema(NUMBER, NUMBER)) == [b'{"a":NaN,"b":2.5}']


@pytest.mark.parametrize("features", ["all", ["a"], ["a", "a"], ["a", "b", "c"], ["a", "b*"], ["a?", "b"]])
def test_anything_but_two_names_is_refused(features: object):
    with pytest.raises(ValidationError, match="expected the names of two features"):
        FeatureSwap.model_validate({"kind": "feature_swap", "features": features, "share": 1})


@pytest.mark.parametrize("one", [NUMBER, INTEGER, CATEGORY, TIMESTAMP])
@pytest.mark.parametrize("other", [NUMBER, INTEGER, CATEGORY, TIMESTAMP])
def test_features_of_two_kinds_are_refused_unless_both_are_numbers(one: FeatureKind, other: FeatureKind):
    target = Schema(features=(Feature(name="a", kind=one), Feature(name="b", kind=other)))
    found = list(FAULT.unfit(target))
    assert bool(found) is not (one is other or {one, other} == {NUMBER, INTEGER})
    assert all(mistake.at == ("features",) for mistake in found)
