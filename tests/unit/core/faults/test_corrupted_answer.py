import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from alertdrill.core.faults.exchange.corrupted_answer import CorruptedAnswer

BODY = b'{"prediction_id": "0123456789abcdef", "score": 0.123456, "label": 0}'


def corrupted(body: bytes, draw: float = 0.5, share: float = 0.05) -> bytes:
    fault = CorruptedAnswer.model_validate({"kind": "corrupted_answer", "share": 0.2, "bytes": share})
    edit = fault.effect(draw, 1.0).edit
    assert edit is not None
    return edit(body)


def changes(body: bytes, other: bytes) -> int:
    return sum(one != two for one, two in zip(body, other, strict=True))


@given(body=st.binary(min_size=1, max_size=300), draw=st.floats(0, 1, exclude_max=True), share=st.floats(0.001, 1))
@settings(max_examples=50)
def test_exactly_its_share_of_the_bytes_changes_and_at_least_one(body: bytes, draw: float, share: float) -> None:
    found = corrupted(body, draw, share)
    assert changes(body, found) == max(1, round(share * len(body)))
    assert corrupted(body, draw, share) == found


def test_an_empty_body_stays_empty() -> None:
    assert corrupted(b"") == b""


def test_every_answer_is_corrupted_in_its_own_way() -> None:
    found = {corrupted(BODY, draw / 100) for draw in range(100)}
    assert len(found) == 100
    hit = [sum(one[at] != BODY[at] for one in found) for at in range(len(BODY))]
    assert max(hit) < 20  # no place is preferred: 3 of 68 bytes each, so about 4 times


def test_the_same_draw_means_the_same_bytes_for_ever() -> None:
    assert corrupted(b"0123456789", 0.25, 0.3).hex() == "303132a63490d6373839"


def test_a_share_of_no_bytes_is_refused() -> None:
    with pytest.raises(ValidationError):
        CorruptedAnswer.model_validate({"kind": "corrupted_answer", "share": 0.2, "bytes": "0%"})
