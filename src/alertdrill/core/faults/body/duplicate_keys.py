"""Write one key twice, with two values."""

from dataclasses import replace
from typing import ClassVar, Literal

from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.forms import Trait

_TWINS = ((b'"key"', b"0"), (b'"key"', b"10"))


class DuplicateKeys(BodyFault):
    """Write one key twice, with two values.

    What it does:
        Writes the first key of the body once more at the end, its value with a 1 in front: "x7" becomes "1x7", -2.5
        becomes -12.5, and what is neither text nor number becomes 1. An empty object gets two equal keys. Parsers take
        the last value, the first, or refuse the body.
    Why it matters:
        Two services that read one body differently: the gateway checks one value, the model scores the other. A merge
        by concatenation or a template is all that it takes.
    Should trigger:
        An alert on malformed requests where duplicates are refused; a drift alert on the first key where the last
        value counts and the key is watched. Bundled: nothing, as the fraud model's first key is an identifier.
    Example:
        - {kind: duplicate_keys, share: 10%}
    References:
        RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format, section 4; RFC 7493, The I-JSON Message
        Format, section 2.3; Miller 2021, An Exploration of JSON Interoperability Vulnerabilities (Bishop Fox).
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.JSON, Trait.KEYS})

    kind: Literal["duplicate_keys"]

    def edit(self, body: Body, draw: float) -> Body:
        """The first member again at the end, with another value."""
        members = body.form.split(body.data)
        if not members:
            return replace(body, data=body.form.added(body.data, *_TWINS))
        name, value = members[0]
        return replace(body, data=body.form.added(body.data, (name, _other(value))))


def _other(value: bytes) -> bytes:
    """Another value of the same type, as it is written; 1 for what is neither text nor number."""
    if value[:1] == b'"':
        return b'"1' + value[1:]
    sign, digits = (value[:1], value[1:]) if value[:1] == b"-" else (b"", value)
    return sign + b"1" + digits if digits[:1].isdigit() else b"1"
