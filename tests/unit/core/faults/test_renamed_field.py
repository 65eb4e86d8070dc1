import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.core.faults.bodies import assert_every_body_changes, edited, encoded

from alertdrill.core.faults.body.renamed_field import RenamedField


def fault(field: str = "amount", to: str = "amountEur") -> RenamedField:
    return RenamedField(kind="renamed_field", field=field, to=to, share=0.2)


@pytest.mark.parametrize("field", ["amount", "merchant", "device"])
def test_every_body_changes(field: str):
    assert_every_body_changes(fault(field))


def test_the_value_and_its_place_stay():
    assert edited(fault(), b'{"hour":3,"amount":1.50,"country":"DE"}') == (
        b'{"hour":3,"amountEur":1.50,"country":"DE"}'
    )


def test_a_value_that_reads_like_the_key_stays():
    assert encoded()[0] == rb'{"amount":1.5,"merchant":"a,\"amount\":1}"}'
    assert edited(fault(), encoded()[0]) == rb'{"amountEur":1.5,"merchant":"a,\"amount\":1}"}'
    assert edited(fault(), b'{"hour":"amount","amount":"amount"}') == b'{"hour":"amount","amountEur":"amount"}'
    assert edited(fault("x"), b'{"a":"x","b":{"x":1}}') == b'{"a":"x","b":{"x":1},"amountEur":null}'


def test_a_literal_that_is_no_json_stays():
    assert edited(fault(), b'{"amount":NaN,"hour":3}') == b'{"amountEur":NaN,"hour":3}'


def test_a_body_without_the_key_gets_the_new_one_with_null():
    assert edited(fault(), b"{}") == b'{"amountEur":null}'
    assert edited(fault(), b'{"hour":3}') == b'{"hour":3,"amountEur":null}'


def test_a_key_written_twice_is_renamed_twice():
    assert edited(fault(), b'{"amount":1,"amount":2}') == b'{"amountEur":1,"amountEur":2}'


@settings(max_examples=50)
@given(row=st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=6) | st.integers(), min_size=1))
def test_any_key_can_be_renamed(row: dict[str, object]):
    (first, value), *others = row.items()
    data = edited(fault(first, first + "'"), json.dumps(row, ensure_ascii=False).encode())
    assert json.loads(data, object_pairs_hook=list) == [(first + "'", value), *others]


def test_the_new_name_is_another_one():
    with pytest.raises(ValidationError, match="another name"):
        fault("amount", "amount")
