"""`alertdrill faults`: the catalogue, from the faults' own documentation."""

from textwrap import indent

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.faults.base import Fault, Unit
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.faults.documentation import sections

INDENT = (0, 0, 0, 4)


def show_faults(console: Console) -> int:
    """One line a fault, by unit, in the order of the wire."""
    for unit in (Unit.SAMPLE, Unit.ROW, Unit.BODY, Unit.EXCHANGE, Unit.ARRIVAL, Unit.PROCESS):
        kinds = {kind: fault for kind, fault in sorted(KINDS.items()) if fault.unit is unit}
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(min_width=max(map(len, KINDS)))
        for kind, fault in kinds.items():
            table.add_row(kind, sections(fault)[""])
        console.print(Group(Text(unit.upper(), style="bold"), table, ""))
    console.print(f"{len(KINDS)} kinds; alertdrill faults KIND explains one")
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
    first, *parts = sections(fault).items()
    console.print(Text.assemble((kind, "bold"), f" (unit: {fault.unit})\n\n{first[1]}\n"))
    for heading, text in parts:
        console.print(Text(heading, style="bold"))
        if heading == "Example":
            console.print(Text(indent(text, " " * INDENT[3])), "", soft_wrap=True)
        else:
            console.print(Padding(Text(" ".join(text.split())), INDENT), "")
    console.print(Text("Fields", style="bold"), Padding(_fields(fault), INDENT))
    return 0


def _fields(fault: type[Fault]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for name, field in fault.model_fields.items():
        if name != "kind":
            default = "" if field.is_required() or field.default is None else f" (default: {field.default})"
            table.add_row(name, Text(f"{field.description}{default}"))
    return table
