import json

import pytest
from pydantic import ValidationError
from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.extra_field import ExtraField


def fault(**fields: object) -> ExtraField:
    return ExtraField.model_validate({"kind": "extra_field", "share": 0.1, **fields})


def test_every_body_changes():
    assert_every_body_changes(fault())


def test_one_key_is_added_behind_the_others():
    assert edited(fault(), b'{"amount":1.5}') == b'{"amount":1.5,"unexpected":1}'
    assert edited(fault(name="x"), b"{}") == b'{"x":1}'


def test_any_name_is_written_as_json():
    name = 'a"\\ é\n{,'
    assert json.loads(edited(fault(name=name), b'{"amount":1.5}')) == {"amount": 1.5, name: 1}


def test_a_key_has_a_name():
    with pytest.raises(ValidationError):
        fault(name="")
