import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.duplicate_keys import DuplicateKeys

FAULT = DuplicateKeys(kind="duplicate_keys", share=0.1)


def pairs(data: bytes) -> list[tuple[str, object]]:
    return json.loads(data, object_pairs_hook=list)


def test_every_body_changes():
    assert_every_body_changes(FAULT)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (b"12.5", b"112.5"),
        (b"-2.5", b"-12.5"),
        (b"0", b"10"),
        (b"1e9", b"11e9"),
        (b'"DE"', b'"1DE"'),
        (b'""', b'"1"'),
        (b"null", b"1"),
        (b"true", b"1"),
        (b"NaN", b"1"),
        (b"-Infinity", b"1"),
        (b"[1,2]", b"1"),
    ],
)
def test_the_first_key_comes_again_with_another_value_of_its_type(value: bytes, other: bytes):
    assert edited(FAULT, b'{"a":%b,"b":7}' % value) == b'{"a":%b,"b":7,"a":%b}' % (value, other)


@settings(max_examples=50)
@given(value=st.integers() | st.floats(-1e300, 1e300) | st.text(max_size=8) | st.none() | st.booleans())
def test_the_two_values_always_differ(value: object):
    (_, first), (_, second) = pairs(edited(FAULT, json.dumps({"a": value}).encode()))
    assert json.dumps(first) == json.dumps(value)
    assert first is not second
    assert json.dumps(first) != json.dumps(second)


def test_an_empty_object_gets_two_equal_keys():
    (one, first), (other, second) = pairs(edited(FAULT, b"{}"))
    assert one == other
    assert first != second
