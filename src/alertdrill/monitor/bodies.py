"""Request bodies to rows, or to the reason why a body holds none."""

from collections.abc import Sequence
from typing import Any

from alertdrill.monitor.together import decode_together
from alertdrill.protocols.base import Protocol, Row
from alertdrill.protocols.features import Feature
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.malformed import Malformed, NoRows


class Bodies:
    """Reads bodies.

    Attributes:
        protocol: how they are written.

    Args:
        protocol: the same; None: each is one flat object.
        features: of the model, in the order in which rows without names hold them.
    """

    def __init__(self, protocol: Protocol | None = None, features: Sequence[Feature] = ()) -> None:
        self.protocol = protocol or Json()
        self._features = tuple(features)
        self._plain, self._is_text = self.protocol.plain, self.protocol.is_text

    def read_all(self, bodies: Sequence[bytes | Malformed | None]) -> list[Sequence[Row] | Malformed | None]:
        """What `read` finds in each body; what is none, as it is."""
        texts = [body for body in bodies if type(body) is bytes]
        values = None if self._is_text else decode_together(texts)
        if values is None:
            return [body if body is None or isinstance(body, Malformed) else self.read(body) for body in bodies]
        found: list[Sequence[Row] | Malformed | None]
        if self._plain and set(map(type, values)) == {dict}:
            found = list(zip(values, strict=True))
        else:
            found = list(map(self._rows_in, values))
        if len(texts) < len(bodies):
            each = iter(found)
            found = [next(each) if type(body) is bytes else body for body in bodies]  # type: ignore[misc]
        return found

    def read(self, body: bytes) -> Sequence[Row] | Malformed:
        """The rows. A body over `LARGEST_BODY_BYTES` is not parsed: that would hold up other answers."""
        if len(body) > LARGEST_BODY_BYTES:
            return Malformed.TOO_LARGE
        try:
            return self.protocol.read(body, self._features)
        except NoRows as none:
            return none.reason

    def _rows_in(self, value: Any) -> Sequence[Row] | Malformed:
        try:
            return self.protocol.rows_in(value, self._features)
        except NoRows as none:
            return none.reason
