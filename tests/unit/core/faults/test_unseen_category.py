from tests.unit.core.faults.contexts import cell_context, texts

from alertdrill.core.faults.row.unseen_category import UnseenCategory

FAULT = UnseenCategory(kind="unseen_category", features=("x",), share=0.2)


def test_touched_categories_become_the_new_one_and_the_input_stays():
    column = texts("FR", "NL", None)
    faulted = FAULT.edit_column(column, cell_context(column, touched=[True, False, True]))
    assert faulted.values.tolist() == ["unseen-category", "NL", ""]
    assert faulted.cells.tolist() == column.cells.tolist()
    assert column.values.tolist() == ["FR", "NL", ""]


def test_a_text_that_the_sample_holds_gets_a_number_that_it_does_not_hold():
    column, sample = texts("FR"), texts("FR", "new", "new-2")
    fault = UnseenCategory(kind="unseen_category", features=("x",), share=0.2, text="new")
    assert fault.edit_column(column, cell_context(column, sample=sample)).values.tolist() == ["new-3"]


def test_what_stands_behind_a_null_of_the_sample_does_not_count():
    column, sample = texts("FR"), texts("FR", "new")
    sample.cells[1] = 1
    fault = UnseenCategory(kind="unseen_category", features=("x",), share=0.2, text="new")
    assert fault.edit_column(column, cell_context(column, sample=sample)).values.tolist() == ["new"]
