"""Whether an expression can answer anything at all, given which series there are."""

from collections.abc import Callable, Mapping
from typing import Any

from alertdrill.core.promql import MAX_CHAIN, PromqlError, Selector, parse, selector_of

Exists = Callable[[Selector], bool]

_FROM_NOTHING = frozenset({"absent", "absent_over_time", "vector", "scalar", "time"})
"""Functions that answer although what they read is not there."""


def empty_selectors(expression: str, recorded: Mapping[str, str], exists: Exists) -> tuple[Selector, ...]:
    """The selectors without any series because of which an expression can never answer; none if it can.

    Args:
        expression: PromQL.
        recorded: metric name to the expression that records it; looked through.
        exists: whether a selector has any series.

    Returns:
        Selectors of scraped series, each once. Of `a or b` those of both, if neither can answer; what `absent` reads
        never counts. Expressions that cannot be parsed are taken to answer.
    """
    found = _missing(expression, recorded, exists, 0)
    return tuple(dict.fromkeys(found or ()))


def _missing(expression: str, recorded: Mapping[str, str], exists: Exists, depth: int) -> list[Selector] | None:
    """What is missing; None if the expression can answer."""
    if depth > MAX_CHAIN:
        return None
    try:
        tree = parse(expression)
    except PromqlError:
        return None

    def look(node: Any) -> list[Selector] | None:
        kind = type(node).__name__
        if kind in ("VectorSelector", "MatrixSelector"):
            selector = selector_of(node)
            if exists(selector):
                return None
            behind = recorded.get(selector.name)
            return [selector] if behind is None else _missing(behind, recorded, exists, depth + 1)
        if kind == "BinaryExpr":
            return _both(str(node.op), look(node.lhs), look(node.rhs))
        if kind == "Call":
            parts = [look(one) for one in node.args]
            return None if node.func.name in _FROM_NOTHING else next((one for one in parts if one), None)
        inner = getattr(node, "expr", None)
        return None if inner is None else look(inner)

    return look(tree)


def _both(op: str, left: list[Selector] | None, right: list[Selector] | None) -> list[Selector] | None:
    """What two sides of an operator miss together."""
    if op == "or":
        return left + right if left and right else None
    if op == "unless":
        return left
    return left or right
