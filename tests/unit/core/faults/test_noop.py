from tests.unit.core.faults.contexts import cell_context, numbers

from alertdrill.core.faults.row.noop import Noop

COLUMN = numbers(1.5, 2.5, 3.5)


def test_no_value_changes():
    context = cell_context(COLUMN, touched=[True, False, True])
    faulted = Noop(kind="noop", features=("x",), share=0.2).edit_column(COLUMN, context)
    assert faulted.values.tolist() == [1.5, 2.5, 3.5]
