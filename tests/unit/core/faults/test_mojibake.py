import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.faults.contexts import cell_context, texts

from alertdrill.core.faults.row.mojibake import Mojibake
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.schema import FeatureKind

FAULT = Mojibake(kind="mojibake", features=("x",), share=0.2)


def test_touched_texts_are_garbled_and_others_are_not():
    column = texts("café", "café", None, "Łódź", "€")
    faulted = FAULT.edit_column(column, cell_context(column, touched=[True, False, True, True, True]))
    assert faulted.values.tolist() == ["cafÃ©", "café", "", "Å\x81Ã³dÅº", "â‚¬"]
    assert column.values.tolist() == ["café", "café", "", "Łódź", "€"]


def test_plain_ascii_gets_the_trace_of_a_no_break_space():
    column = texts("DE")
    assert FAULT.edit_column(column, cell_context(column)).values.tolist() == ["DEÂ\N{NO-BREAK SPACE}"]


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=5))
def test_every_text_changes_and_can_be_sent(values: list[str]):
    column = texts(*values)
    faulted = FAULT.edit_column(column, cell_context(column))
    assert all(one != other for one, other in zip(faulted.values, values, strict=True))
    assert [orjson.loads(text) for text in cell_texts(faulted, FeatureKind.CATEGORY)] == faulted.values.tolist()
