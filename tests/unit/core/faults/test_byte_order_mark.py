import orjson
import pytest
from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.byte_order_mark import ByteOrderMark

FAULT = ByteOrderMark(kind="byte_order_mark", share=0.1)


def test_every_body_changes():
    assert_every_body_changes(FAULT)


def test_the_mark_stands_before_the_same_json():
    data = edited(FAULT, b'{"amount":1.5}')
    assert data == b'\xef\xbb\xbf{"amount":1.5}'
    assert data.decode("utf-8-sig") == '{"amount":1.5}'
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(data)
