"""Add a key whose value is nested deeper than parsers go."""

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field, StrictInt

from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.forms import Trait


class DeeplyNested(BodyFault):
    """Add a key whose value is nested deeper than parsers go.

    What it does:
        Adds the key `nested`, an empty list in a list in a list, `depth` of them in all. The body stays well-formed
        JSON with all its features: only its depth is wrong. Common limits are 64 (System.Text.Json), 128 (serde_json),
        1000 (Jackson) and 1024 (orjson).
    Why it matters:
        A few kilobytes that exhaust the stack of a parser without a limit, and that a parser with one refuses, some
        by an error that no handler expects: 500 instead of 400, or a worker that is gone.
    Should trigger:
        An alert on malformed requests (bundled: MalformedRequestsHigh, from a depth of 1024 on) or on 5xx; nothing
        where the parser goes deep enough and extra keys are ignored.
    Example:
        - {kind: deeply_nested, share: 10%}
    References:
        RFC 8259, The JavaScript Object Notation (JSON) Data Interchange Format, section 9; CWE-674, Uncontrolled
        Recursion.
    """

    needs: ClassVar[frozenset[Trait]] = frozenset({Trait.JSON, Trait.KEYS})

    kind: Literal["deeply_nested"]
    depth: StrictInt = Field(
        default=2000, ge=1, le=100_000, description="how many lists are in each other, such as 2000; at most 100000"
    )

    def edit(self, body: Body, draw: float) -> Body:
        """The body with the nested lists behind its last member."""
        return replace(body, data=body.form.added(body.data, (b'"nested"', b"[" * self.depth + b"]" * self.depth)))
