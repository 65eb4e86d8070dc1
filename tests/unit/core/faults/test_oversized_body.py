import orjson
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.oversized_body import OversizedBody

BODY = b'{"amount":1.5}'


def fault(size: object = 1000) -> OversizedBody:
    return OversizedBody.model_validate({"kind": "oversized_body", "bytes": size, "share": 0.05})


def test_every_body_changes():
    assert_every_body_changes(fault())


def test_the_body_has_the_size_and_means_the_same():
    data = edited(fault(), BODY)
    assert len(data) == 1000
    assert orjson.loads(data) == {"amount": 1.5}
    assert len(edited(OversizedBody(kind="oversized_body", share=0.05), b"{}")) == 2_000_000


def test_a_body_that_is_as_large_already_grows_by_one_blank():
    data = b'{"a":"' + b"x" * 2000 + b'"}'
    assert edited(fault(), data) == data + b" "


@pytest.mark.parametrize("size", [999, 16_000_001, "2 MB", 2.5, True])
def test_the_size_is_a_bounded_number_of_bytes(size: object):
    with pytest.raises(ValidationError):
        fault(size)
