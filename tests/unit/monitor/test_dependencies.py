from collections.abc import Callable

import pytest

from alertdrill.monitor.dependencies import Dependencies
from alertdrill.monitor.notes import Batch, Note

Parse = Callable[[str], dict[tuple[str, ...], float]]


def seen_of(values: Parse, *stated: bytes) -> dict[tuple[str, ...], float]:
    of = Dependencies({"model": "m", "version": "1"}, ["store", "cache"])
    notes = [
        Note(200, 0.1, True, b"", answer_headers=((b"server-timing", one), (b"x", b"store;dur=9"))) for one in stated
    ]
    of.take(Batch(notes, [None] * len(notes), [None] * len(notes)))
    return values("".join(of.render()))


def test_named_dependencies_count_and_others_do_not(values: Parse) -> None:
    seen = seen_of(values, b'store;desc="a, b";dur=3.2, cache;dur=0.4, other;dur=5', b"store; dur=120")
    assert seen["model_dependency_duration_seconds_count", "store"] == 2
    assert seen["model_dependency_duration_seconds_sum", "store"] == pytest.approx(0.1232)
    assert seen["model_dependency_duration_seconds_bucket", "store", "0.005"] == 1
    assert seen["model_dependency_duration_seconds_count", "cache"] == 1
    assert not [name for name in seen if "other" in name]


def test_every_series_exists_before_the_first_answer(values: Parse) -> None:
    assert seen_of(values)["model_dependency_duration_seconds_count", "cache"] == 0


@pytest.mark.parametrize(
    "stated", [b"store", b"store;dur=", b"store;dur=.", b"store;dur=1.2.3", b"\xff;;,=", b"," * 9999]
)
def test_what_states_no_duration_counts_nothing(values: Parse, stated: bytes) -> None:
    assert seen_of(values, stated)["model_dependency_duration_seconds_count", "store"] == 0
