"""Both dashboards of a model."""

from collections.abc import Mapping

from alertdrill.alerting.choices import Choices
from alertdrill.dashboards.board import Board
from alertdrill.dashboards.engineers import engineers
from alertdrill.dashboards.product import product
from alertdrill.protocols.schema import Schema


def boards(name: str, schema: Schema, choices: Choices) -> Mapping[str, Board]:
    """File name to board.

    Args:
        name: of the model's target or schema.
        schema: of the model; at least one feature is watched.
        choices: what there is besides requests.
    """
    both = engineers(name, schema, choices), product(name, choices)
    return {f"{board.audience}.json": board for board in both}
