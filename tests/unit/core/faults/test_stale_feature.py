from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers, texts, timeline

from alertdrill.core.faults.base import Timeline
from alertdrill.core.faults.row.stale_feature import StaleFeature
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind

FAULT = StaleFeature.model_validate({"kind": "stale_feature", "features": ["x"], "share": "20%", "by": "2s"})
SEGMENT = numbers(0.5, 1.5, 2.5, None, 4.5, 5.5)  # request i is due at second i


def test_touched_requests_hold_what_the_request_two_seconds_earlier_had_nulls_included():
    context = cell_context(SEGMENT, touched=[True, True, True, True, False, True])
    written = cell_texts(FAULT.edit_column(SEGMENT, context), FeatureKind.NUMBER)
    assert written == [b"0.5", b"0.5", b"0.5", b"1.5", b"4.5", b"null"]
    assert cell_texts(SEGMENT, FeatureKind.NUMBER)[5] == b"5.5"


def test_between_two_requests_the_newest_that_was_due_counts():
    column = texts("a", "b", "c", "d", "e")
    context = cell_context(column, when=timeline(5, per_s=0.8))
    assert FAULT.edit_column(column, context).values.tolist() == ["a", "a", "a", "b", "c"]


def test_a_batch_from_the_middle_of_the_segment_looks_before_itself():
    whole = FAULT.edit_column(SEGMENT, cell_context(SEGMENT))
    end = SEGMENT.take(np.array([4, 5]))
    context = replace(cell_context(end, when=timeline(2, start=4)), clean=SEGMENT.take)
    part = FAULT.edit_column(end, context)
    assert cell_texts(part, FeatureKind.NUMBER) == cell_texts(whole, FeatureKind.NUMBER)[4:]


def test_the_dose_scales_the_age_and_none_changes_nothing():
    half = FAULT.edit_column(SEGMENT, cell_context(SEGMENT, dose=0.5))
    assert cell_texts(half, FeatureKind.NUMBER) == [b"0.5", b"0.5", b"1.5", b"2.5", b"null", b"4.5"]
    none = FAULT.edit_column(SEGMENT, cell_context(SEGMENT, dose=0.0, when=timeline(6, per_s=0.0001)))
    assert cell_texts(none, FeatureKind.NUMBER) == cell_texts(SEGMENT, FeatureKind.NUMBER)


def test_without_a_dose_a_request_keeps_its_own_value_even_when_another_is_due_at_the_same_time():
    column = texts("a", "b")
    together = Timeline(index=np.arange(2), at=np.ones(2), index_at=lambda at: np.ones(2, dtype=np.int64))
    none = FAULT.edit_column(column, cell_context(column, dose=0.0, when=together))
    assert none.values.tolist() == ["a", "b"]


def test_no_age_is_refused():
    with pytest.raises(ValidationError, match="greater than 0"):
        StaleFeature.model_validate({"kind": "stale_feature", "features": ["x"], "share": 1, "by": "0s"})
