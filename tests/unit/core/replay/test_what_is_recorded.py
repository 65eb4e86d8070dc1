import pytest
from worded import alert, group, loaded, record

from alertdrill.core.promql import selectors
from alertdrill.core.replay.coverage import covers, lacking


@pytest.mark.parametrize(
    ("recorded", "wanted", "held"),
    [
        ("x", "x", True),
        ("x", 'x{code="500"}', True),
        ('x{code="500"}', "x", False),
        ('x{code=~"5.."}', 'x{code="500"}', True),
        ('x{code=~"5.."}', 'x{code="404"}', False),
        ('x{code=~"5.."}', 'x{code=~"5.."}', True),
        ('x{code=~"5.."}', 'x{code=~"50."}', False),
        ("x", "y", False),
        ('{__name__=~"x|y"}', "y", True),
        ('{__name__=~"x|y"}', "z", False),
        ("x", '{__name__=~"x|y"}', False),
    ],
)
def test_a_selector_is_held_if_another_reads_all_that_it_does(recorded: str, wanted: str, held: bool) -> None:
    assert covers(selectors(recorded)[0], selectors(wanted)[0]) is held


def test_what_the_recording_need_not_hold_is_named_and_what_rules_write_is_not_asked_for() -> None:
    rules = loaded(
        group(record("a:b", "rate(x[5m])"), alert("A", "a:b > 1 and up == 1 unless rate(y[1m] offset 5m) > 0"))
    )
    assert lacking(rules, rules.places, selectors("x")) == ("y",)
    assert lacking(rules, rules.places, [*selectors("x"), *selectors("y")]) == ()
