"""Put a byte order mark in front of the JSON."""

import codecs
from dataclasses import replace
from typing import Literal

from alertdrill.core.faults.base import Body, BodyFault


class ByteOrderMark(BodyFault):
    """Put a byte order mark in front of the JSON.

    What it does:
        Writes the three bytes EF BB BF (the byte order mark of UTF-8) before the body. JSON must not be sent with one;
        parsers may ignore it or refuse the body.
    Why it matters:
        A file saved by an editor on Windows, an export passed on as it is. It shows in no log, some servers take it,
        and the next one in the chain does not.
    Should trigger:
        An alert on malformed requests (bundled: MalformedRequestsHigh), or on 4xx; nothing where the parser ignores
        it.
    Example:
        - {kind: byte_order_mark, share: 10%}
    References:
        RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format, section 8.1.
    """

    kind: Literal["byte_order_mark"]

    def edit(self, body: Body, draw: float) -> Body:
        """The mark, then the body."""
        return replace(body, data=codecs.BOM_UTF8 + body.data)
