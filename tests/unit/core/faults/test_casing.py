import pytest
from tests.unit.core.faults.contexts import cell_context, texts

from alertdrill.core.faults.row.casing import Casing


@pytest.mark.parametrize(
    ("to", "expected"),
    [("upper", ["DE", "MAC OS", "42"]), ("lower", ["de", "mac os", "42"]), ("swap", ["de", "MAC os", "42"])],
)
def test_the_case_is_changed(to: str, expected: list[str]):
    column = texts("DE", "mac OS", "42")
    fault = Casing.model_validate({"kind": "casing", "features": ["x"], "share": 1, "to": to})
    assert fault.edit_column(column, cell_context(column)).values.tolist() == expected
    assert column.values.tolist() == ["DE", "mac OS", "42"]


def test_by_default_every_text_with_letters_changes_where_it_is_touched():
    column = texts("DE", "de", "dE", "DE", None)
    fault = Casing(kind="casing", features=("x",), share=0.2)
    faulted = fault.edit_column(column, cell_context(column, touched=[True, True, True, False, True]))
    assert faulted.values.tolist() == ["de", "DE", "De", "DE", ""]
    assert faulted.cells.tolist() == column.cells.tolist()
