"""The numbers in an expression that can be set: its threshold and its window, read and written where they stand."""

import re
from collections.abc import Iterator
from typing import Any

from alertdrill.core.promql import PromqlError, parse, walk

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_LOGICAL = ("and", "or", "unless")
_SKIPPED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*'
_NUMBER = re.compile(
    rf"{_SKIPPED}|\[[^\]]*\]|(?P<sign>[+-]\s*)?(?P<number>(?<![\w:.])(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))(?![\w:.])"
)
_WINDOW = re.compile(rf"{_SKIPPED}|(?P<window>\[[^\]:]*\])")
_SENTINEL = 918273645.5


class NotOne(ValueError):
    """An expression does not have just one of what is to be set; the text says what it has instead."""


def threshold(query: str) -> float:
    """The number that the outermost comparison of an expression compares with.

    Comparisons that `and`, `or` and `unless` join stand side by side.

    Raises:
        NotOne: there is none, there are several, or it compares with something else than a number.
    """
    found = list(_compared(parse(query)))
    if not found:
        raise NotOne("no comparison with a number")
    if len(found) > 1:
        raise NotOne(f"{len(found)} comparisons")
    return _literal(found[0])


def with_threshold(query: str, value: float) -> str:
    """The expression with another threshold, all else as it was written.

    Raises:
        NotOne: as `threshold`.
    """
    if threshold(query) == value:
        return query
    for begin, end in _numbers(query):
        if _is_threshold(f"{query[:begin]}{_SENTINEL}{query[end:]}"):
            return f"{query[:begin]}{value:.12g}{query[end:]}"
    raise NotOne("a threshold that is not written as a plain number")


def windows(query: str) -> tuple[float, ...]:
    """Seconds of every range selector of an expression, in its order.

    Raises:
        NotOne: there is a subquery, which has a range of its own.
    """
    nodes = list(walk(parse(query)))
    if any(type(node).__name__ == "SubqueryExpr" for node in nodes):
        raise NotOne("a subquery")
    return tuple(float(node.range.total_seconds()) for node in nodes if type(node).__name__ == "MatrixSelector")


def with_window(query: str, window: str) -> str:
    """The expression with the range of all its range selectors replaced.

    Args:
        query: without subqueries.
        window: a duration as PromQL has it, such as `5m`.
    """
    return _WINDOW.sub(lambda found: f"[{window}]" if found["window"] else found[0], query)


def _compared(node: Any) -> Iterator[Any]:
    """The comparisons of a condition that none of its other comparisons is inside of."""
    node = _bare(node)
    if type(node).__name__ == "BinaryExpr":
        if str(node.op) in _COMPARISONS:
            yield node
        elif str(node.op) in _LOGICAL:
            yield from _compared(node.lhs)
            yield from _compared(node.rhs)


def _literal(comparison: Any) -> float:
    left, right = _bare(comparison.lhs), _bare(comparison.rhs)
    numbers = [one for one in (left, right) if type(one).__name__ == "NumberLiteral"]
    if len(numbers) != 1:
        raise NotOne("a comparison with something else than one number")
    if any(type(one).__name__ == "BinaryExpr" and str(one.op) in _COMPARISONS for one in (left, right)):
        raise NotOne("a comparison of a comparison")
    return float(numbers[0].val)


def _is_threshold(query: str) -> bool:
    try:
        return threshold(query) == _SENTINEL
    except (PromqlError, NotOne):
        return False


def _numbers(query: str) -> Iterator[tuple[int, int]]:
    """Where numbers stand in an expression, those with a sign first with it and then without."""
    for found in _NUMBER.finditer(query):
        if found["number"] is None:
            continue
        if found["sign"] is not None:
            yield found.span()
        yield found.span("number")


def _bare(node: Any) -> Any:
    while type(node).__name__ == "ParenExpr":
        node = node.expr
    return node
