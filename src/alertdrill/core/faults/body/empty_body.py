"""Send nothing for a body."""

from dataclasses import replace
from typing import Literal

from alertdrill.core.faults.base import Body, BodyFault


class EmptyBody(BodyFault):
    """Send nothing for a body.

    What it does:
        Sends the request with a Content-Length of 0; its headers stay.
    Why it matters:
        A stream that was read before it was sent, a redirect that dropped the body, a retry without its payload.
        Servers answer 400, 411, 422 or 500.
    Should trigger:
        An alert on malformed requests (bundled: MalformedRequestsHigh), or on 4xx.
    Example:
        - {kind: empty_body, share: 10%}
    References:
        RFC 9110, HTTP Semantics, section 8.6; RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format,
        section 2: a JSON text is a value, never nothing.
    """

    kind: Literal["empty_body"]

    def edit(self, body: Body, draw: float) -> Body:
        """No bytes."""
        return replace(body, data=b"")
