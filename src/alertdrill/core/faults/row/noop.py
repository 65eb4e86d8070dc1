"""Touch nothing: the template that a new fault is copied from."""

from typing import ClassVar, Literal

from alertdrill.core.faults.base import CellContext, CellFault
from alertdrill.protocols.rows import Column


class Noop(CellFault):
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

    changes: ClassVar[bool] = False

    kind: Literal["noop"]

    def edit_column(self, column: Column, context: CellContext) -> Column:
        """The column as it is."""
        return column
