import pytest

from alertdrill.core.drill_headers import read_seq


def test_a_number_is_segment_and_index() -> None:
    assert read_seq(b"3.1207") == (3, 1207)


@pytest.mark.parametrize(
    "value", [b"", b"3", b"3.", b".7", b"3.7.1", b"-3.7", b"a.b", b"3.9999999999999999", b"\xb2.7"]
)
def test_anything_else_is_no_number(value: bytes) -> None:
    assert read_seq(value) is None
