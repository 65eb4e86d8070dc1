import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertdrill.protocols.members import added, join, split

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300) | st.text()
FLAT = st.dictionaries(st.text(), SCALARS | st.lists(SCALARS) | st.dictionaries(st.text(), SCALARS), max_size=5)


@settings(max_examples=50)
@given(row=FLAT)
def test_splitting_and_joining_gives_the_same_bytes(row: dict[str, object]):
    data = orjson.dumps(row)
    members = split(data)
    assert members is not None
    assert [json.loads(name) for name, _ in members] == list(row)
    assert [orjson.loads(value) for _, value in members] == list(row.values())
    assert join(members) == data


@settings(max_examples=50)
@given(row=FLAT)
def test_an_added_member_is_the_last_and_the_only_change(row: dict[str, object]):
    row.pop("more", None)
    assert list(orjson.loads(added(orjson.dumps(row), (b'"more"', b"[7]"))).items()) == [*row.items(), ("more", [7])]


def test_marks_inside_texts_and_nested_values_split_nothing():
    data = b'{ "a{,\\"" : "x,}\\\\" , "b":[1,{"c":2}],"d" : NaN }'
    assert split(data) == [(b'"a{,\\""', b'"x,}\\\\"'), (b'"b"', b'[1,{"c":2}]'), (b'"d"', b"NaN")]


@pytest.mark.parametrize("data", [b"", b"{", b"}", b'{"a":1', b"[{}]", b'{"a":1,}', b"{a:1}", b"\xef\xbb\xbf{}"])
def test_what_is_no_object_has_no_members(data: bytes):
    assert split(data) is None


@pytest.mark.parametrize("data", [b"", b"{", b"}", b'{"a":1', b"[{}]", b"\xef\xbb\xbf{}"])
def test_nothing_is_added_to_what_is_no_object(data: bytes):
    assert added(data, (b'"more"', b"1")) == data


def test_blanks_around_an_object_do_not_hide_it():
    assert split(b" {} \n") == []
    assert added(b' {"a":1 } ', (b'"b"', b"2")) == b'{"a":1,"b":2}'
