"""Data faults on bodies that others built: the users of a team's own locustfile."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import orjson

from alertdrill.core.faults.base import Body, BodyFault, RowFault
from alertdrill.core.log_rows import Unusable, cell_reader
from alertdrill.core.payloads import Indices, Mask, Payloads
from alertdrill.core.plan import Injection, Plan
from alertdrill.core.touch import Touch, by_rows
from alertdrill.protocols import members
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema


@dataclass(frozen=True)
class Edited:
    """A body with the data faults of its request.

    Attributes:
        body: what to send, and what its header says.
        touched: the injections that changed it on the wire.
        picked: the injections that were to change it: these, and where it is no row those that its draws pick.
    """

    body: Body
    touched: tuple[str, ...]
    picked: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    """The features in a body: their cells, and how their names are written there."""

    rows: Rows
    names: Mapping[str, bytes]


def _cell(feature: Feature, value: object) -> float | str | None:
    """A decoded value as rows hold it; None for null.

    Raises:
        Unusable: it is of another kind.
    """
    if isinstance(value, str) and feature.kind is FeatureKind.CATEGORY:
        return value
    if value == "":
        raise Unusable(repr(value), feature.kind)
    return cell_reader(feature, from_text=False)(value)


def _column(feature: Feature, text: bytes | None) -> Column:
    """The column of one cell that a JSON text is; None: its key is missing. What fits no feature of the kind is raw."""
    category = feature.kind is FeatureKind.CATEGORY
    values = np.array(["", None], dtype=object)[:-1] if category else np.array([np.nan])
    if text is None:
        return Column(values, np.array([Cell.MISSING], dtype=np.uint8))
    try:
        value = _cell(feature, orjson.loads(text))
    except Unusable:
        column = Column(values, np.array([Cell.VALUE], dtype=np.uint8))
        return column.with_raw(np.array([True]), text)
    if value is None:
        return Column(values, np.array([Cell.NULL], dtype=np.uint8))
    values[0] = value
    return Column(values, np.array([Cell.VALUE], dtype=np.uint8))


def _read(data: bytes, schema: Schema) -> _Row | None:
    """The features in a body; None if it is no flat JSON object with a feature, or has a key twice."""
    try:
        if not isinstance(orjson.loads(data), dict):
            return None
    except ValueError:
        return None
    found = members.split(data) or []
    written = {orjson.loads(name): (name, text) for name, text in found}
    if len(written) < len(found) or not any(feature.name in written for feature in schema.features):
        return None
    columns, names = {}, {}
    for feature in schema.features:
        names[feature.name], text = written.get(feature.name, (orjson.dumps(feature.name), None))
        columns[feature.name] = _column(feature, text)
    return _Row(Rows(columns), names)


class OwnBodies:
    """Applies row and body faults of a plan to one body at a time: the same for the same k.i and body.

    A body is a flat JSON object that has features of the target among its members. Members that no fault changes stay
    byte for byte; any other body is let through as it is.
    """

    def __init__(self, plan: Plan, sample: Rows, touch: Touch) -> None:
        """Take the faults of a plan; spreads, ranks and values that faults borrow are those of `sample`."""
        self._schema = plan.target.schema_
        self._kinds = {one.name: one.kind for one in self._schema.features}
        self._payloads = Payloads(plan, sample, touch)
        self._touch = touch
        changing = [one for one in plan.injections if isinstance(one.fault, RowFault | BodyFault)]
        self._faults = {one.k: [i for i in changing if i.segment == one.k] for one in plan.segments}

    def of(self, k: int, i: int, body: Body) -> Edited:
        """What of `body`, as request `k.i`, is to be sent."""
        injections, index = self._faults[k], np.array([i])
        row = _read(body.data, self._schema) if injections else None
        if row is None:
            return Edited(body, (), tuple(one.id for one in injections if self._drawn(one, index)))
        touched: list[str] = []
        body = Body(self._row_faults(k, index, row, body.data, touched), body.content_type)
        for injection in injections:
            fault = injection.fault
            if isinstance(fault, BodyFault) and self._payloads.chosen(injection, index, row.rows).any():
                before, draws = body, self._payloads.draw(injection, index, "body")
                body = fault.edit(body, float(draws[0]))
                touched += [injection.id] if body != before else []
        return Edited(body, tuple(touched), tuple(touched))

    def _drawn(self, injection: Injection, index: Indices) -> bool:
        """Whether an injection picks a request whose row is not known: of those that go by rows nobody can tell."""
        return not by_rows(injection.fault) and bool(self._touch.chosen_at(injection, index).any())

    def _row_faults(self, k: int, index: Indices, row: _Row, data: bytes, touched: list[str]) -> bytes:
        """The object `data` with the row faults of its segment; those that change it go to `touched`."""
        rows, first = row.rows, self._texts(row.rows)
        texts = first
        for injection in self._faults[k]:
            if isinstance(injection.fault, RowFault):
                picked: dict[str, Mask] = {}
                rows = self._payloads.faulted(k, index, row.rows, [injection], picked, rows)
                after = self._texts(rows)
                if picked[injection.id].any() and (after != texts or not injection.fault.changes):
                    touched.append(injection.id)
                texts = after
        changed = {row.names[name]: text or None for name, text in texts.items() if text != first[name]}
        return members.replaced(data, changed) if changed else data

    def _texts(self, rows: Rows) -> dict[str, bytes]:
        """The JSON text of every cell, empty where its key is missing."""
        return {name: cell_texts(column, self._kinds[name])[0] for name, column in rows.columns.items()}
