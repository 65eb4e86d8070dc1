"""Break the request body, so that it is no longer JSON."""

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.forms import Trait

_NO_OBJECT = b"{"


class MalformedJson(BodyFault):
    """Break the request body, so that it is no longer JSON.

    What it does:
        Sends a body that no JSON parser takes, with a Content-Length that fits: well-formed HTTP around broken JSON.
        `truncated` sends a prefix, at least its opening brace and never the whole, cut where the draw says;
        `trailing_comma` writes a comma before the last brace; `unbalanced` leaves the last brace out.
    Why it matters:
        A client that was deployed half, a gateway with a size limit, a buffer that was too small, a template that was
        edited by hand. Services answer 400, 422 or 500; some count it under no error metric at all.
    Should trigger:
        An alert on malformed requests (bundled: MalformedRequestsHigh), or on 4xx.
    Example:
        - {kind: malformed_json, share: 10%}
    References:
        RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format, section 2.
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.JSON})

    kind: Literal["malformed_json"]
    form: Literal["truncated", "trailing_comma", "unbalanced"] = Field(
        default="truncated",
        description="truncated (cut short), trailing_comma or unbalanced (the last brace is missing)",
    )

    def edit(self, body: Body, draw: float) -> Body:
        """Break the body in the way that `form` says."""
        data = body.data
        if self.form == "truncated":
            return replace(body, data=data[: 1 + int(draw * (len(data) - 1))])
        end = data.rstrip()[:-1] or _NO_OBJECT
        return replace(body, data=end if self.form == "unbalanced" else end + b",}")
