"""Cut the request body short, so that it is no longer JSON."""

from typing import Literal

from alertdrill.core.faults.base import BodyFault


class MalformedJson(BodyFault):
    """Cut the request body short, so that it is no longer JSON.

    What it does:
        Sends a prefix of the body, at least its opening brace and never the whole, with a Content-Length that fits:
        well-formed HTTP around broken JSON. Where it is cut is drawn for each request.
    Why it matters:
        A client that was deployed half, a gateway with a size limit, a buffer that was too small. Services answer
        400, 422 or 500; some count it under no error metric at all.
    Should trigger:
        An alert on malformed requests (bundled: MalformedRequestsHigh), or on 4xx.
    Example:
        - {kind: malformed_json, share: 10%}
    References:
        RFC 8259, The JSON Data Interchange Format, section 2.
    """

    kind: Literal["malformed_json"]

    def edit(self, body: bytes, draw: float) -> bytes:
        """Cut after 1 to len(body) - 1 bytes."""
        return body[: 1 + int(draw * (len(body) - 1))]
