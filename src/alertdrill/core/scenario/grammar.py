"""What can stand at a place of a file, read off the models."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, Tag, WithJsonSchema
from pydantic.fields import FieldInfo

Path = tuple[str | int, ...]


class Spot(NamedTuple):
    """A place of the file, as the models know it.

    Attributes:
        path: keys and list positions from the top of the file.
        annotation: type of the value there, None where the models know no such place.
        field: the key's own field; None in a list, at the top and where `annotation` is None.
        parent: type of the mapping or list that the place is in.
    """

    path: Path
    annotation: Any
    field: FieldInfo | None
    parent: Any = None

    def example(self) -> str:
        """A value that can stand here, or `…`."""
        if self.field is None:
            return "…"
        examples = list(self.field.examples or [])
        for extra in self.field.metadata:
            if isinstance(extra, WithJsonSchema):
                examples += (extra.json_schema or {}).get("examples", [])
        choices = get_args(self.annotation) if get_origin(self.annotation) is Literal else ()
        first = [*examples, *choices, "…"][0]
        return f"[{', '.join(map(str, first))}]" if isinstance(first, list) else str(first)


def spot_at(location: Path, top: type[BaseModel]) -> Spot:
    """The place that a location of a pydantic error means, in a file that `top` describes.

    Tags of unions in the location stand for no key and are dropped, as is the `[key]` after a key of free choice.
    """
    spot = Spot((), top, None)
    for element in location:
        if element == "[key]" and get_origin(spot.parent) is dict:
            continue
        spot = _step(spot, element)
    return spot


def keys_at(annotation: Any) -> dict[str, FieldInfo]:
    """Keys that a mapping of this type can have, with their fields."""
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {field.alias or name: field for name, field in annotation.model_fields.items()}
    keys: dict[str, FieldInfo] = {}
    for member in _members(annotation):
        keys |= keys_at(member)
    return keys


def kinds_at(annotation: Any) -> tuple[str, ...]:
    """The values that `kind` can have at a place, in the order of the models."""
    return tuple(tag for member in _members(annotation) for tag in _tags(_bare(member)))


def _step(spot: Spot, element: str | int) -> Spot:
    for member in _members(spot.annotation):
        if isinstance(element, str) and element in _tags(member):
            return spot._replace(annotation=_bare(member))
    path = (*spot.path, element)
    for member in _members(spot.annotation) or (spot.annotation,):
        bare = _bare(member)
        field = keys_at(bare).get(str(element))
        if field is not None:
            return Spot(path, field.annotation, field, bare)
        if get_origin(bare) in (tuple, dict):
            # A list's type stands first in tuple[…], a mapping's values second in dict[…].
            return Spot(path, get_args(bare)[get_origin(bare) is dict], None, bare)
    return Spot(path, None, None, spot.annotation)


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _members(annotation: Any) -> tuple[Any, ...]:
    """What a union consists of, unions inside of it spread out; nothing for any other type."""
    stands_for = [extra.union() for extra in getattr(annotation, "__metadata__", ()) if hasattr(extra, "union")]
    bare = _bare(stands_for[0] if stands_for else annotation)
    if get_origin(bare) not in (Union, UnionType):
        return ()
    return tuple(inner for member in get_args(bare) for inner in _members(member) or (member,))


def _tags(member: Any) -> tuple[str, ...]:
    """What pydantic calls a member of a union in the location of an error: its Tag, or its `kind`."""
    if get_origin(member) is Annotated:
        return tuple(extra.tag for extra in member.__metadata__ if isinstance(extra, Tag))
    fields: Mapping[str, FieldInfo] = getattr(member, "model_fields", {})
    return get_args(fields["kind"].annotation) if "kind" in fields else ()
