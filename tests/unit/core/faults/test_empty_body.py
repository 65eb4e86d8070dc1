from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.empty_body import EmptyBody

FAULT = EmptyBody(kind="empty_body", share=0.1)


def test_every_body_changes():
    assert_every_body_changes(FAULT, may_be_empty=True)


def test_nothing_is_left():
    assert edited(FAULT, b'{"amount":1.5}') == b""
