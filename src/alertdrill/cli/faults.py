"""`alertdrill faults`: the catalogue, from the faults' own documentation."""

import inspect

from rich.console import Console
from rich.table import Table

from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.faults.catalogue import KINDS


def show_faults(console: Console) -> int:
    """One line a fault."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("KIND", "UNIT", "WHAT IT DOES"):
        table.add_column(title)
    for kind, fault in sorted(KINDS.items()):
        table.add_row(kind, fault.unit, (inspect.getdoc(fault) or "").partition("\n")[0])
    console.print(table)
    return 0


def show_fault(console: Console, kind: str) -> int:
    """The documentation of one fault, and its fields.

    Raises:
        BadInput: there is no such fault.
    """
    fault = KINDS.get(kind)
    if fault is None:
        near = nearest(kind, KINDS)
        fix = f"did you mean {near}?" if near else f"write one of: {', '.join(sorted(KINDS))}"
        raise BadInput([Mistake("faults", kind, "the kind of a fault", fix)])
    console.print(f"{kind} (unit: {fault.unit})\n")
    console.print(inspect.getdoc(fault) or "")
    console.print("\nFields:")
    for name, field in fault.model_fields.items():
        if name != "kind":
            default = "" if field.is_required() else f" (default: {field.default})"
            console.print(f"    {name}: {field.description}{default}")
    return 0
