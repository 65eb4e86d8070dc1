from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.faults.contexts import cell_context, texts

from alertdrill.core.faults.row.typos import Typos

FAULT = Typos(kind="typos", features=("x",), share=0.2)
SWAP, DROP, DOUBLE, REPLACE = 0.0, 0.25, 0.5, 0.75
LAST = 1 - 2**-53


def mistyped(text: str, edit: float, place: float = 0.0, letter: float = 0.0) -> str:
    column = texts(text)
    draws = {"edit": edit, "place": place, "letter": letter}
    context = replace(cell_context(column), draws=lambda name: np.array([draws[name]]))
    return FAULT.edit_column(column, context).values[0]


@pytest.mark.parametrize(
    ("edit", "expected"), [(SWAP, "rgocery"), (DROP, "rocery"), (DOUBLE, "ggrocery"), (REPLACE, "arocery")]
)
def test_there_are_four_edits(edit: float, expected: str):
    assert mistyped("grocery", edit) == expected


def test_the_place_is_drawn():
    assert mistyped("grocery", DROP, place=0.5) == "groery"
    assert mistyped("grocery", DROP, place=LAST) == "grocer"


def test_a_character_is_replaced_by_another_of_its_alphabet():
    assert mistyped("a", REPLACE) == "b"
    assert mistyped("Z", REPLACE, letter=LAST) == "Y"
    assert mistyped("7", REPLACE, letter=LAST) == "9"
    assert mistyped("é", REPLACE) == "a"


def test_what_cannot_be_swapped_or_dropped_is_replaced():
    assert mistyped("aab", SWAP) == "bab"
    assert mistyped("ab", SWAP, place=LAST) == "aa"
    assert mistyped("a", DROP) == "b"
    assert mistyped("", DOUBLE) == "a"


@settings(max_examples=50)
@given(st.lists(st.text(max_size=4), min_size=1, max_size=20), st.integers(0, 1000))
def test_every_touched_text_changes_by_one_edit_at_most(values: list[str], seed: int):
    column = texts(*values)
    touched = [position % 3 != 0 for position in range(len(values))]
    faulted = FAULT.edit_column(column, cell_context(column, touched=touched, seed=seed)).values.tolist()
    assert [one != other for one, other in zip(faulted, values, strict=True)] == touched
    assert all(abs(len(one) - len(other)) <= 1 for one, other in zip(faulted, values, strict=True))
    assert column.values.tolist() == values


def test_a_cell_gets_the_same_mistake_in_a_batch_of_another_size():
    column = texts(*["grocery"] * 20, None)
    context = cell_context(column)
    whole = FAULT.edit_column(column, context).values.tolist()
    some = np.arange(5, 9)
    part = replace(context, touched=context.touched[some], draws=lambda name: context.draws(name)[some])
    assert FAULT.edit_column(column.take(some), part).values.tolist() == whole[5:9]
    assert len(set(whole)) > 5
    assert whole[-1] == ""
