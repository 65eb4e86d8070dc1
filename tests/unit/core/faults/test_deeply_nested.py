import orjson
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.deeply_nested import DeeplyNested


def fault(depth: int) -> DeeplyNested:
    return DeeplyNested(kind="deeply_nested", depth=depth, share=0.1)


def test_every_body_changes():
    assert_every_body_changes(fault(1))


def test_a_key_with_so_many_lists_is_added_and_the_features_stay():
    assert orjson.loads(edited(fault(3), b'{"amount":1.5}')) == {"amount": 1.5, "nested": [[[]]]}
    assert edited(fault(2), b"{}") == b'{"nested":[[]]}'


def test_the_default_is_deeper_than_a_parser_with_a_limit_goes():
    default = DeeplyNested(kind="deeply_nested", share=0.1)
    with pytest.raises(orjson.JSONDecodeError, match="depth"):
        orjson.loads(edited(default, b"{}"))
    with pytest.raises(orjson.JSONDecodeError, match="depth"):
        orjson.loads(edited(fault(1024), b"{}"))
    assert orjson.loads(edited(fault(1023), b"{}"))


def test_the_deepest_body_is_balanced():
    data = edited(fault(100_000), b'{"amount":1.5}')
    assert data == b'{"amount":1.5,"nested":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("depth", [0, 100_001, 2.5, True])
def test_the_depth_is_bounded(depth: object):
    with pytest.raises(ValidationError):
        DeeplyNested.model_validate({"kind": "deeply_nested", "depth": depth, "share": 0.1})
