"""Every fault there is, by kind: `mean_shift` is the class `MeanShift` of `mean_shift.py`, in the folder of its unit.

The file of a fault is read when somebody names its kind: the load of a drill, which must start fast, reads few of them.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Union

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from alertdrill.core import faults
from alertdrill.core.faults.base import Fault

FOLDERS = ("arrival", "body", "exchange", "process", "row", "sample")


class _Kinds(Mapping[str, type[Fault]]):
    """Kind to class; its names and their number are known without reading any class."""

    def __init__(self) -> None:
        folders = {f"{path}/{folder}": f"{faults.__name__}.{folder}." for path in faults.__path__ for folder in FOLDERS}
        found = {
            module.name: folder + module.name
            for path, folder in folders.items()
            for module in pkgutil.iter_modules([path])
        }
        self._modules = dict(sorted(found.items()))

    def __getitem__(self, kind: str) -> type[Fault]:
        fault: type[Fault] = getattr(import_module(self._modules[kind]), kind.title().replace("_", ""))
        return fault

    def __contains__(self, kind: object) -> bool:
        return kind in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


KINDS: Mapping[str, type[Fault]] = _Kinds()


@cache
def any_fault() -> Any:
    """The union of all faults, told apart by `kind`."""
    return Annotated[Union[tuple(KINDS.values())], Field(discriminator="kind")]  # noqa: UP007 (as many as there are)


@cache
def _all() -> TypeAdapter[Fault]:
    return TypeAdapter(any_fault())


def _read(value: Any) -> Fault:
    """A fault by its own class; what is wrong with it is said by the union of all, with the kinds that there are."""
    if isinstance(value, Fault):
        return value
    kind = value.get("kind") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind in KINDS:
        try:
            return KINDS[kind].model_validate(value)
        except ValidationError:
            pass
    return _all().validate_python(value)


class ByKind:
    """Reads a fault as a union of all would, without reading the classes of all."""

    @staticmethod
    def union() -> Any:
        """What can stand in its place."""
        return any_fault()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(_all().core_schema)


FaultSpec = Annotated[Fault, ByKind()]
"""One fault, told apart by `kind`."""
