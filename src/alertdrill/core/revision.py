"""How two judgements of the same drill differ: the models of result.diff.json (schema `alertdrill/diff/v1`)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JUDGE = "judged_by"
"""The field of a result that says which version drew its verdicts: no verdict of its own."""


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Change(_Frozen):
    """One field that a later judgement has otherwise."""

    field: str = Field(description="path, such as expectations[nulls/FeatureNullRateHigh].verdict")
    before: Any = Field(description="null where the field was not there")
    after: Any = Field(description="null where the field is not there any more")


class Revision(_Frozen):
    """What another version of alertdrill makes of the same evidence."""

    schema_: Literal["alertdrill/diff/v1"] = Field(default="alertdrill/diff/v1", alias="schema")
    run_id: str
    judged_before_by: str | None = Field(description="version that wrote result.json; null: it does not say")
    judged_again_by: str
    changes: tuple[Change, ...]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def revision(before: Mapping[str, Any], after: Mapping[str, Any]) -> Revision | None:
    """How a result, as plain values, differs from a later judgement; None where it does not."""
    changes = tuple(one for one in _changes("", before, after) if one.field != JUDGE)
    if not changes:
        return None
    return Revision(
        run_id=str(after["run_id"]), judged_before_by=before.get(JUDGE), judged_again_by=after[JUDGE], changes=changes
    )


def _changes(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _changes(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif _is_list(before) and _is_list(after):
        old, new = _by_name(before), _by_name(after)
        for name in dict.fromkeys([*old, *new]):
            yield from _changes(f"{path}[{name}]", old.get(name), new.get(name))
    elif before != after:
        yield Change(field=path, before=before, after=after)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _by_name(entries: Sequence[Any]) -> dict[str, Any]:
    """Entries by their `id`, where every one has its own, else by position."""
    ids = [str(one.get("id")) for one in entries if isinstance(one, Mapping) and "id" in one]
    if len(set(ids)) == len(entries):
        return dict(zip(ids, entries, strict=True))
    return {str(position): one for position, one in enumerate(entries)}
