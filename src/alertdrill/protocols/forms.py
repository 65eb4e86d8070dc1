"""How one row stands in a body: as an object, a list of values, columns, tensors; and how its values are found again.

A form joins values that are written already, and takes a body apart without decoding them, so that faults edit both.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

import orjson

from alertdrill.protocols import members
from alertdrill.protocols.members import Member

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"
NO_VALUE = b'""'  # in a line of its own: an empty one would be none
_HOLE = b"\0"  # stands in no JSON and in no name


class Trait(StrEnum):
    """What a fault may need of the way in which rows are written."""

    KEYS = "keys"  # each value has its feature's name with it, so that it can be left out, renamed or doubled
    JSON = "json"  # the body is JSON
    TYPES = "types"  # a number, a text and a null look different
    SHAPE = "shape"  # a row stands by itself, so that it can come in the shape of a batch


class Form(ABC):
    """How a row is written.

    Attributes:
        content_type: what the header says of such bodies.
        lacks: what the form does not have, and why.
    """

    content_type: ClassVar[str] = JSON_TYPE
    lacks: ClassVar[Mapping[Trait, str]] = {}

    @abstractmethod
    def join(self, row: Sequence[Member]) -> bytes:
        """The body of a row: names as JSON texts, values as they are to be written."""

    @abstractmethod
    def split(self, data: bytes) -> list[Member] | None:
        """The values of a body and their names; None if it is not of this form, or has no names."""

    def added(self, data: bytes, *more: Member) -> bytes:
        """The body with more values at its end; as it is if it is not of this form."""
        row = self.split(data)
        return data if row is None else self.join([*row, *more])

    def wrapped(self, data: bytes, opening: bytes, closing: bytes) -> bytes:
        """The body with something around its row, or around all of it where that is not of this form."""
        return opening + data + closing

    def pieces(self, names: Sequence[str]) -> list[bytes]:
        """What stands before each value of a row with all features, and behind the last."""
        return self.join([(orjson.dumps(name), _HOLE) for name in names]).split(_HOLE)


class Objects(Form):
    """`{"amount":1.5,"country":"RS"}`: an object with a key for each feature."""

    def join(self, row: Sequence[Member]) -> bytes:
        """The object."""
        return members.join(list(row))

    def split(self, data: bytes) -> list[Member] | None:
        """Its members."""
        return members.split(data)

    def added(self, data: bytes, *more: Member) -> bytes:
        """Also where what stands between the braces cannot be taken apart."""
        return members.added(data, *more)


class Values(Form):
    """`[1.5,"RS"]`: a list of values in the order of the schema."""

    lacks: ClassVar[Mapping[Trait, str]] = {Trait.KEYS: "its rows are lists of values, which have no keys"}

    def join(self, row: Sequence[Member]) -> bytes:
        """The list."""
        return b"[" + b",".join([text for _, text in row]) + b"]"

    def split(self, data: bytes) -> list[Member] | None:
        """Nothing: names stand nowhere."""
        return None


class Columns(Form):
    """`{"amount":[1.5],"country":["RS"]}`: an object of columns, which hold one value for each row."""

    lacks: ClassVar[Mapping[Trait, str]] = {Trait.SHAPE: "it writes columns, which are the shape of a batch"}

    def join(self, row: Sequence[Member]) -> bytes:
        """The object."""
        return members.join([(name, b"[" + text + b"]") for name, text in row])

    def split(self, data: bytes) -> list[Member] | None:
        """Its members, each out of its list."""
        found = members.split(data)
        if found is None or not all(text[:1] == b"[" and text[-1:] == b"]" for _, text in found):
            return None
        return [(name, text[1:-1]) for name, text in found]


class Table(Form):
    """`"columns":["amount","country"],"data":[[1.5,"RS"]]`: a list of names, and a list of rows of values."""

    lacks: ClassVar[Mapping[Trait, str]] = {Trait.SHAPE: "it writes a table, which is the shape of a batch"}
    _WHOLE = re.compile(rb'\A"columns":\[(.*?)\],"data":\[\[(.*)\]\]\Z', re.DOTALL)

    def join(self, row: Sequence[Member]) -> bytes:
        """Names and values."""
        names, values = (b",".join([member[at] for member in row]) for at in (0, 1))
        return b'"columns":[' + names + b'],"data":[[' + values + b"]]"

    def split(self, data: bytes) -> list[Member] | None:
        """Each value with the name at its place."""
        found = self._WHOLE.match(data)
        if found is None:
            return None
        names, values = (members.elements(text) if text else [] for text in found.groups())
        return list(zip(names, values, strict=True)) if len(names) == len(values) else None


@dataclass(frozen=True)
class Tensors(Form):
    """A tensor for each feature, of one value a row.

    Attributes:
        datatypes: of the features, by name.
        other: datatype of a tensor that the schema does not know.
        shape: of each, as it is written.
        text_parameters: of tensors of texts, as a member of an object; empty: none.
    """

    lacks: ClassVar[Mapping[Trait, str]] = {Trait.SHAPE: "the data of a tensor may be nested or flat"}

    datatypes: Mapping[str, str]
    other: str
    shape: bytes
    text_parameters: bytes = b""

    @cached_property
    def _heads(self) -> dict[bytes, bytes]:
        return {orjson.dumps(name): self._head(orjson.dumps(name), of) for name, of in self.datatypes.items()}

    def _head(self, name: bytes, datatype: str) -> bytes:
        more = self.text_parameters if datatype == "BYTES" else b""
        return b'{"name":%b,"shape":%b,"datatype":"%b"%b,"data":[' % (name, self.shape, datatype.encode(), more)

    def join(self, row: Sequence[Member]) -> bytes:
        """The list of tensors."""
        heads = [self._heads.get(name) or self._head(name, self.other) for name, _ in row]
        return b"[" + b",".join([head + text + b"]}" for head, (_, text) in zip(heads, row, strict=True)]) + b"]"

    def split(self, data: bytes) -> list[Member] | None:
        """The value of each tensor."""
        if data[:1] != b"[" or data[-1:] != b"]":
            return None
        found = [members.split(one) for one in members.elements(data[1:-1])] if data != b"[]" else []
        tensors = [dict(one) for one in found if one is not None]
        if len(tensors) < len(found) or not all({b'"name"', b'"data"'} <= one.keys() for one in tensors):
            return None
        return [(one[b'"name"'], one[b'"data"'][1:-1]) for one in tensors]


class Csv(Form):
    """A header of names and a line of values (RFC 4180)."""

    content_type: ClassVar[str] = CSV_TYPE
    lacks: ClassVar[Mapping[Trait, str]] = {
        Trait.JSON: "its bodies are CSV",
        Trait.TYPES: "CSV has no types: every value is a text, and an empty one is no value",
        Trait.SHAPE: "its bodies are tables, which are the shape of a batch",
    }

    def join(self, row: Sequence[Member]) -> bytes:
        """Two lines."""
        names = b",".join([csv_field(orjson.loads(name)) for name, _ in row])
        line = b",".join([text for _, text in row])
        return names + b"\r\n" + (line or NO_VALUE) + b"\r\n"

    def split(self, data: bytes) -> list[Member] | None:
        """Nothing: no fault edits such a body."""
        return None


@dataclass(frozen=True)
class Within(Form):
    """A form with something constant around it.

    Attributes:
        inner: how the row itself is written.
        opening: what stands before it.
        closing: what stands behind it.
    """

    inner: Form
    opening: bytes
    closing: bytes

    @property
    def content_type(self) -> str:  # type: ignore[override]
        """That of the row."""
        return self.inner.content_type

    @property
    def lacks(self) -> Mapping[Trait, str]:  # type: ignore[override]
        """What the row lacks."""
        return self.inner.lacks

    def _row(self, data: bytes) -> bytes | None:
        long_enough = len(data) >= len(self.opening) + len(self.closing)
        if not (long_enough and data.startswith(self.opening) and data.endswith(self.closing)):
            return None
        return data[len(self.opening) : len(data) - len(self.closing)]

    def join(self, row: Sequence[Member]) -> bytes:
        """The row and what is around it."""
        return self.opening + self.inner.join(row) + self.closing

    def split(self, data: bytes) -> list[Member] | None:
        """The values of the row."""
        row = self._row(data)
        return None if row is None else self.inner.split(row)

    def added(self, data: bytes, *more: Member) -> bytes:
        """More values in the row."""
        row = self._row(data)
        return data if row is None else self.opening + self.inner.added(row, *more) + self.closing

    def wrapped(self, data: bytes, opening: bytes, closing: bytes) -> bytes:
        """Something around the row alone."""
        row = self._row(data)
        if row is None:
            return super().wrapped(data, opening, closing)
        return self.opening + self.inner.wrapped(row, opening, closing) + self.closing


PLAIN = Objects()


def csv_field(text: str) -> bytes:
    """A text as a field of a CSV line, in quotes where it must be."""
    if re.search(r'[",\r\n]', text):
        return b'"%b"' % text.replace('"', '""').encode()
    return text.encode()
