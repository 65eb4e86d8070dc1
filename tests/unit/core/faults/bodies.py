"""Bodies for body faults under test."""

import numpy as np
from tests.unit.core.faults.contexts import numbers, texts

from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.forms import JSON_TYPE
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

DRAWS = (0.0, 0.3, 0.5, 0.99, 1 - 2**-53)


def encoded() -> list[bytes]:
    """Bodies as the protocol writes them: values, nulls, missing keys, a NaN literal, texts full of JSON, and `{}`."""
    amount = numbers(1.5, None, 0.0, -2.25, 7.0)
    amount = amount.with_raw(np.array([False, False, True, False, False]), b"NaN")
    merchant = texts('a,"amount":1}', "café", "", None, "x")
    missing = np.array([False, False, False, False, True])
    columns: dict[str, Column] = {
        "amount": amount.with_cells(missing, Cell.MISSING),
        "merchant": merchant.with_cells(missing, Cell.MISSING),
    }
    features = (
        Feature(name="amount", kind=FeatureKind.NUMBER),
        Feature(name="merchant", kind=FeatureKind.CATEGORY),
    )
    return encode(Rows(columns), Schema(features=features))


def edited(fault: BodyFault, data: bytes, draw: float = 0.5) -> bytes:
    """The bytes that a fault makes of a body, whose type it keeps."""
    body = fault.edit(Body(data, JSON_TYPE), draw)
    assert body.content_type == JSON_TYPE
    return body.data


def assert_every_body_changes(fault: BodyFault, may_be_empty: bool = False) -> None:
    """Every body changes for every draw, and something is left of it."""
    bodies = encoded()
    assert b"{}" in bodies
    for data in bodies:
        for draw in DRAWS:
            changed = edited(fault, data, draw)
            assert changed != data, (data, draw)
            assert changed or may_be_empty, (data, draw)
