"""Touch nothing: the template that a new fault is copied from."""

from typing import Literal

from alertdrill.core.faults.base import RowContext, RowFault
from alertdrill.protocols.rows import Rows


class Noop(RowFault):
    """Touch nothing: the template that a new fault is copied from.

    What it does:
        Marks requests as touched and changes none of them.
    Why it matters:
        A drill with it must find no alert: the negative control of every other fault.
    Should trigger:
        Nothing.
    Example:
        - {kind: noop, features: [amount], share: 20%}
    References:
        Shopify, Toxiproxy, toxics/noop.go: the idea of a template that does nothing.
    """

    kind: Literal["noop"]

    def edit(self, rows: Rows, context: RowContext) -> Rows:
        """The rows as they are."""
        return rows
