"""Two features and rows of them, for tests of protocols."""

from typing import Any

import numpy as np

from alertdrill.protocols.base import Protocol
from alertdrill.protocols.encoding import encode
from alertdrill.protocols.features import Feature, FeatureKind
from alertdrill.protocols.malformed import NoRows
from alertdrill.protocols.rows import Cell, Column, Rows
from alertdrill.protocols.schema import Schema

FEATURES = (
    Feature(name="amount", kind=FeatureKind.NUMBER),
    Feature(name="hour", kind=FeatureKind.INTEGER),
    Feature(name="country", kind=FeatureKind.CATEGORY),
)
NUMBERS = FEATURES[:2]
ROW = {"amount": 1.5, "hour": 3, "country": "RS"}


def schema(protocol: Protocol, features: tuple[Feature, ...] = FEATURES) -> Schema:
    return Schema(protocol=protocol, path="/x", features=features)


def written(protocol: Protocol, features: tuple[Feature, ...] = FEATURES, **amount: Any) -> bytes:
    """The body of the row; `amount` has another cell or raw bytes for that feature."""
    none = np.zeros(1, dtype=np.uint8)
    column = Column(np.array([1.5]), none)
    if "cell" in amount:
        column = column.with_cells(np.array([True]), amount["cell"])
    if "raw" in amount:
        column = column.with_raw(np.array([True]), amount["raw"])
    country = Column(np.array(["RS"], dtype=object), none)
    rows = Rows({"amount": column, "hour": Column(np.array([3.0]), none), "country": country})
    (body,) = encode(rows, schema(protocol, features))
    return body


def faulted(protocol: Protocol, features: tuple[Feature, ...] = FEATURES) -> list[bytes]:
    """The row with a null, a missing key, a NaN literal, an empty text and a wrong type for the amount."""
    cells = [{"cell": Cell.NULL}, {"cell": Cell.MISSING}, {"raw": b"NaN"}, {"raw": b'""'}, {"raw": b"true"}]
    return [written(protocol, features, **one) for one in cells]


def read(protocol: Protocol, body: bytes, features: tuple[Feature, ...] = FEATURES) -> Any:
    """The rows of a body, or why there are none."""
    try:
        return list(protocol.read(body, features))
    except NoRows as none:
        return none.reason
