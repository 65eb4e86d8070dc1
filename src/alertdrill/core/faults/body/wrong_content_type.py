"""Declare the body as something that it is not."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from alertdrill.core.errors import BadValue
from alertdrill.core.faults.base import Body, BodyFault
from alertdrill.protocols.schema import Schema


def _check(content_type: str) -> str:
    """The content type itself, if a header can hold it.

    Raises:
        BadValue: it is not.
    """
    if not re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?", content_type):
        raise BadValue("one line of plain ASCII text, 200 characters at most", "write a type such as text/plain")
    return content_type


class WrongContentType(BodyFault):
    """Declare the body as something that it is not.

    What it does:
        Sends `content_type` in the header Content-Type; the body stays as it is.
    Why it matters:
        A client library whose default changed, a proxy that rewrites headers. Strict frameworks answer 415 or 422 to
        a body that is fine; lenient ones read it all the same, until they are upgraded.
    Should trigger:
        An alert on 4xx where the server checks the header. Bundled: nothing, as model and monitor read every body as
        JSON.
    Example:
        - {kind: wrong_content_type, content_type: text/plain, share: 10%}
    References:
        RFC 9110, HTTP Semantics, sections 8.3 and 15.5.16.
    """

    kind: Literal["wrong_content_type"]
    content_type: Annotated[str, AfterValidator(_check)] = Field(
        default="text/plain", description="what the header says, such as text/plain"
    )

    def unfit(self, schema: Schema) -> Iterator[BadValue]:
        """The type that is the right one."""
        if self.content_type.lower() == schema.form.content_type:
            expected = f"another type than {schema.form.content_type}"
            yield BadValue(expected, "write a wrong one such as text/plain", at=("content_type",))

    def edit(self, body: Body, draw: float) -> Body:
        """The same bytes under another type."""
        return replace(body, content_type=self.content_type)
