import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertdrill.monitor.truth.feedback import MOST_BYTES, MOST_ITEMS, Feedback, Refusal, instant, parse
from alertdrill.protocols.figures import Task


def items(body: object, task: Task = Task.CLASSIFICATION) -> list[Feedback]:
    return parse(json.dumps(body).encode(), task).items


def test_classes_are_the_same_however_they_are_written() -> None:
    labels = [item.label for item in items([{"id": 7, "label": label} for label in (1, 1.0, True, "1")])]
    assert labels == ["1"] * 4
    assert items({"id": 7, "label": 1})[0].id == "7"


def test_labels_of_regression_are_numbers() -> None:
    assert items({"id": "a", "label": 2}, Task.REGRESSION)[0].label == 2.0
    assert not items({"id": "a", "label": "2"}, Task.REGRESSION)
    assert not items({"id": "a", "label": True}, Task.REGRESSION)


def test_all_that_is_wrong_with_an_item_is_said_and_the_others_are_taken() -> None:
    parsed = parse(
        json.dumps([{"id": [], "label": {}, "time": "x"}, {"id": "b", "label": 0}]).encode(), Task.CLASSIFICATION
    )
    assert {(mistake.reason, mistake.where) for mistake in parsed.mistakes} == {
        (Refusal.BAD_ID, "[0].id"),
        (Refusal.BAD_LABEL, "[0].label"),
        (Refusal.BAD_TIME, "[0].time"),
    }
    assert ([item.id for item in parsed.items], parsed.refused) == (["b"], 1)


def test_what_is_about_a_prediction_needs_its_id_and_kpis_do_not() -> None:
    for said in ({"label": 1}, {"click": True}, {"value": 2}):
        assert parse(json.dumps(said).encode(), Task.CLASSIFICATION).mistakes[0].reason is Refusal.BAD_ID
    assert items({"kpis": {"refunds": 2}}) == [Feedback(None, kpis=(("refunds", 2.0),))]
    assert parse(b'{"id": 1}', Task.CLASSIFICATION).mistakes[0].reason is Refusal.NOTHING_SAID


@pytest.mark.parametrize(
    ("text", "at"),
    [("2026-11-23T04:00:00Z", 1795406400.0), ("2026-11-23T05:00:00+01:00", 1795406400.0), (1795406400, 1795406400.0)],
)
def test_times_have_a_zone_or_are_seconds(text: object, at: float) -> None:
    assert instant(text) == at
    assert instant("2026-11-23T04:00:00") is None
    assert instant(-1) is None
    assert instant(1e300) is None


def test_large_bodies_and_long_lists_are_not_read() -> None:
    assert parse(b" " * (MOST_BYTES + 1), Task.CLASSIFICATION).mistakes[0].reason is Refusal.TOO_LARGE
    many = json.dumps([0] * (MOST_ITEMS + 1)).encode()
    assert parse(many, Task.CLASSIFICATION).mistakes[0].reason is Refusal.TOO_MANY


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.text(max_size=5), leaves, max_size=3)
objects = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "label", "time", "value", "click", "kpis", "version", "other"), json_values)
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=40), st.lists(objects, max_size=3).map(lambda value: json.dumps(value).encode())))
def test_every_body_is_taken_or_refused_with_a_reason(body: bytes) -> None:
    for task in Task:
        parsed = parse(body, task)
        assert bool(parsed.refused) == bool(parsed.mistakes)
        for mistake in parsed.mistakes:
            assert "expected" in mistake.text
