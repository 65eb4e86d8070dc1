import numpy as np
import pytest

from alertdrill.drift.cells import NumericCells
from alertdrill.drift.conditions import Conditions, Warned

RNG = np.random.default_rng(51)


def cells(rows: int) -> NumericCells:
    return NumericCells.from_reference(RNG.normal(size=rows))


def warned(conditions: Conditions) -> set[str]:
    return {reason.value for reason, holds in conditions.warnings().items() if holds}


@pytest.mark.parametrize(("rows", "expected"), [(9_999, {"reference_too_small"}), (10_000, set())])
def test_a_reference_below_ten_thousand_rows_is_too_small_for_a_tenth_of_a_deviation(
    rows: int, expected: set[str]
) -> None:
    assert warned(Conditions([cells(20_000), cells(rows)])) == expected


def test_an_exact_reference_is_never_too_small() -> None:
    assert warned(Conditions([cells(100)], exact_reference=True)) == set()


def test_repeats_and_dependence_warn_each_by_itself() -> None:
    repeats, waves = Conditions([cells(10_000)]), Conditions([cells(10_000)])
    repeats.add(np.repeat(np.arange(1_000), 5).tolist())
    counts = np.zeros((1, 15), dtype=np.int64)
    for step in range(400):
        counts[0] = 0
        counts[0, 2 if step % 20 < 10 else 8] = 1
        waves.update(counts, np.zeros(1, dtype=bool))
    assert warned(repeats) == {Warned.REPEATED_ROWS}
    assert warned(waves) == {Warned.DEPENDENT_IN_TIME}
