"""Tests of the catalogue: kinds are known at once, their classes are read when they are named."""

import subprocess
import sys
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from alertdrill.core.faults.catalogue import KINDS, FaultSpec, any_fault

READ = """
import sys
from alertdrill.core.plan import Injection
from alertdrill.core.faults.catalogue import KINDS
def read(): print(*sorted(name.rpartition(".")[2] for name in sys.modules if name.rpartition(".")[2] in KINDS))
read()
injection = {"id": "a/b", "phase": "a", "segment": 0, "unit": "row", "place": None, "share": 1}
Injection.model_validate({**injection, "fault": {"kind": "nulls", "features": ["x"], "share": 1}})
read()
"""


def test_only_the_classes_of_named_kinds_are_read() -> None:
    done = subprocess.run([sys.executable, "-c", READ], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines() == ["", "nulls"]


def test_each_class_is_of_the_kind_that_its_file_is_named_after() -> None:
    assert {kind: get_args(fault.model_fields["kind"].annotation) for kind, fault in KINDS.items()} == {
        kind: (kind,) for kind in KINDS
    }


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "nulls", "features": ["x"], "share": "200%", "stray": 1},
        {"kind": "nulls"},
        {"kind": "no_such"},
        {"kind": ["nulls"]},
        {"share": 1},
        "nulls",
        None,
    ],
)
def test_mistakes_are_those_that_the_union_of_all_finds(value: object) -> None:
    def mistakes(adapter: TypeAdapter[object]) -> list[object]:
        with pytest.raises(ValidationError) as found:
            adapter.validate_python(value)
        return [{**one, "ctx": str(one.get("ctx"))} for one in found.value.errors()]

    assert mistakes(TypeAdapter(FaultSpec)) == mistakes(TypeAdapter(any_fault()))
