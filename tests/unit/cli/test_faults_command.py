import io

import pytest
from rich.console import Console

from alertdrill.cli.faults import show_fault, show_faults
from alertdrill.core.errors import BadInput
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.faults.documentation import sections


def shown(kind: str | None = None, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    assert (show_faults(console) if kind is None else show_fault(console, kind)) == 0
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_list_has_every_kind_once_under_its_unit() -> None:
    text = shown()
    assert [line.split()[0] for line in text.splitlines() if line.split()[:1] and line.split()[0] in KINDS] == [
        kind
        for unit in ("sample", "row", "body", "exchange", "arrival", "process")
        for kind in sorted(KINDS)
        if KINDS[kind].unit == unit
    ]
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_nothing_of_a_fault_s_documentation_is_lost(kind: str) -> None:
    text = shown(kind)
    assert all(words(part) in words(text) for part in sections(KINDS[kind]).values())
    fields = words(text[text.index("\nFields") :])
    described = [field.description or "?" for name, field in KINDS[kind].model_fields.items() if name != "kind"]
    assert all(words(one) in fields for one in described)


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean nulls"):
        shown("nullz")
