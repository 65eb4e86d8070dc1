"""Pad the body to megabytes."""

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field, StrictInt

from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.forms import Trait


class OversizedBody(BodyFault):
    """Pad the body to megabytes.

    What it does:
        Writes blanks behind the JSON until the body has `bytes` bytes, at least one. Blanks mean nothing in JSON: a
        parser that takes the size reads the same values.
    Why it matters:
        A request that carries a whole history, an image in Base64, a log by mistake. Gateways answer 413, buffers
        spill to disk, and a monitor that copies bodies pays for every byte.
    Should trigger:
        An alert on malformed requests or on 4xx (bundled: MalformedRequestsHigh above 1 MiB, which its monitor does
        not parse), and a latency alert where links or buffers are small.
    Example:
        - {kind: oversized_body, bytes: 2000000, share: 5%}
    References:
        RFC 9110, HTTP Semantics, section 15.5.14; RFC 8259, The JavaScript Object Notation (JSON) Data Interchange
        Format, sections 2 and 9.
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.JSON})

    kind: Literal["oversized_body"]
    bytes: StrictInt = Field(
        default=2_000_000,
        ge=1000,
        le=16_000_000,
        description="size of the padded body in bytes, such as 2000000 (2 MB); from 1000 to 16000000",
    )

    def edit(self, body: Body, draw: float) -> Body:
        """The body and the blanks."""
        return replace(body, data=body.data.ljust(max(self.bytes, len(body.data) + 1)))
