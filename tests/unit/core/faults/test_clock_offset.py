import pytest
from pydantic import ValidationError
from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.clock_offset import ClockOffset
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind

TIMESTAMP = FeatureKind.TIMESTAMP
MOMENTS = numbers(1795380375.25, 1795380375.25, None)  # 2026-11-22T20:46:15.250Z


def offset(by: str, direction: str = "ahead") -> ClockOffset:
    fields = {"kind": "clock_offset", "features": ["x"], "share": 1, "by": by, "direction": direction}
    return ClockOffset.model_validate(fields)


def written(fault: ClockOffset, dose: float = 1.0) -> list[bytes]:
    context = cell_context(MOMENTS, touched=[True, False, True], kind=TIMESTAMP, dose=dose)
    return cell_texts(fault.edit_column(MOMENTS, context), TIMESTAMP)


def test_touched_times_move_ahead_or_behind():
    untouched = [b'"2026-11-22T20:46:15.250Z"', b"null"]
    assert written(offset("1h30m")) == [b'"2026-11-22T22:16:15.250Z"', *untouched]
    assert written(offset("1h", "behind")) == [b'"2026-11-22T19:46:15.250Z"', *untouched]
    assert MOMENTS.values[0] == 1795380375.25


def test_the_shortest_and_the_longest_offset_are_written_as_they_are():
    assert written(offset("1ms"))[0] == b'"2026-11-22T20:46:15.251Z"'
    assert written(offset("876600h"))[0] == b'"2126-11-23T20:46:15.250Z"'


def test_the_dose_scales_the_offset_and_none_is_the_identity():
    assert written(offset("1h"), dose=0.5)[0] == b'"2026-11-22T21:16:15.250Z"'
    assert written(offset("1h"), dose=0.0)[0] == b'"2026-11-22T20:46:15.250Z"'


@pytest.mark.parametrize("by", ["0s", "0.5ms", "876601h"])
def test_an_offset_that_cannot_be_written_is_refused(by: str):
    with pytest.raises(ValidationError, match="expected a duration from 1ms to 876600h"):
        offset(by)
