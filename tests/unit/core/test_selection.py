import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sample import sample

from alertdrill.core.selection import Tail, Where, by_rank, matching, ranks
from alertdrill.core.units import ComparedWith
from alertdrill.protocols.rows import Cell, Column

ROWS = sample()
WHERE: TypeAdapter[dict[str, ComparedWith | tuple[str | float, ...]]] = TypeAdapter(Where)


def met(**where: object) -> list[bool]:
    return matching(WHERE.validate_python(where), ROWS).tolist()


def test_a_value_a_list_and_a_comparison_are_told_apart() -> None:
    found = WHERE.validate_python({"country": "CH", "device": ["a", "b"], "hour": 3, "amount": "> 100"})
    assert found == {"country": ("CH",), "device": ("a", "b"), "hour": (3,), "amount": ComparedWith(">", 100.0)}
    assert WHERE.validate_json(WHERE.dump_json(found)) == found


def test_rows_meet_values_lists_and_comparisons() -> None:
    country, amount = ROWS.columns["country"].values, ROWS.columns["amount"].values
    assert met(country="CH") == (country == "CH").tolist()
    assert met(country=["CH", "NO"]) == ((country == "CH") | (country == "NO")).tolist()
    assert met(amount="> 20") == (amount > 20).tolist()
    assert met(country="CH", amount="<= 20") == ((country == "CH") & (amount <= 20)).tolist()


def test_a_null_meets_no_condition() -> None:
    nulls = ROWS.columns["hour"].cells == Cell.NULL
    assert nulls.any()
    for condition in ("!= 99", "< 99", 0):
        assert not np.any(np.array(met(hour=condition)) & nulls)


@pytest.mark.parametrize("where", [{}, {"a": []}, {"a": None}, {"a": "> x"}, {"a": True}, {"a": [[1]]}, {"a": {}}, [1]])
def test_conditions_without_sense_are_refused(where: object) -> None:
    with pytest.raises(ValidationError):
        WHERE.validate_python(where)


@given(share=st.floats(0, 1))
def test_selection_by_rank_keeps_the_share_and_rises_with_the_rank(share: float) -> None:
    rank = (np.arange(1000) + 0.5) / 1000
    probability = by_rank(np.full(1000, share), rank)
    assert probability.mean() == pytest.approx(share, abs=1e-9)
    assert np.all((probability >= 0) & (probability <= 1))
    assert np.all(np.diff(probability) >= -1e-12)
    assert probability[-1] - probability[0] == pytest.approx(2 * min(share, 1 - share) * 0.999)


def test_ranks_of_the_sample_itself_have_mean_one_half_whatever_repeats() -> None:
    values = np.array([1.0, 1.0, 1.0, 2.0, 9.0, 9.0])
    column = Column(values, np.zeros(6, dtype=np.uint8))
    assert ranks(column, column, Tail.HIGH).mean() == pytest.approx(0.5)
    assert ranks(column, column, Tail.LOW).tolist() == (1 - ranks(column, column, Tail.HIGH)).tolist()


def test_a_null_ranks_in_the_middle() -> None:
    hour = ROWS.columns["hour"]
    assert set(ranks(hour, hour, Tail.HIGH)[hour.cells == Cell.NULL].tolist()) == {0.5}
