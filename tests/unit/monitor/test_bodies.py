import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.monitor.bodies import Malformed, read
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Malformed.EMPTY),
        (b" \n", Malformed.EMPTY),
        (b'{"amount": "\xff"}', Malformed.BAD_ENCODING),
        (b'{"amount": 1', Malformed.BAD_JSON),
        (b'{"amount": NaN}', Malformed.BAD_JSON),
        (b'{"amount": 1e999}', Malformed.BAD_JSON),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, Malformed.BAD_JSON),
        (b"[1, 2]", Malformed.NOT_AN_OBJECT),
        (b"null", Malformed.NOT_AN_OBJECT),
        (b'{"a": "' + b"x" * LARGEST_BODY_BYTES + b'"}', Malformed.TOO_LARGE),
    ],
)
def test_every_unreadable_body_has_one_reason(body: bytes, reason: Malformed) -> None:
    assert read(body) is reason


def test_an_object_is_a_row() -> None:
    assert read(b'{"amount": null, "country": "DE"}') == {"amount": None, "country": "DE"}


@given(st.binary(max_size=40))
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(read(body), dict | Malformed)
