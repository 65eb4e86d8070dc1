"""What alert expressions say: the series they select, how far back they look, and shapes that can be predicted."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser

from alertdrill.core.matchers import Matcher, Operator

MAX_CHAIN = 16
_CHILDREN = ("lhs", "rhs", "expr", "args", "vector_selector", "param")


class PromqlError(ValueError):
    """An expression that cannot be parsed."""


@dataclass(frozen=True)
class Selector:
    """The series that one part of an expression reads."""

    name: str
    matchers: tuple[Matcher, ...]
    range_s: float
    offset_s: float

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels (its name under `__name__`) is read."""
        return (not self.name or labels.get("__name__") == self.name) and all(m.matches(labels) for m in self.matchers)

    def text(self) -> str:
        """The selector without its range."""
        inner = ",".join(one.text() for one in self.matchers)
        return f"{self.name}{{{inner}}}" if inner else self.name


def parse(expression: str) -> Any:
    """The syntax tree of an expression.

    Raises:
        PromqlError: it is not PromQL.
    """
    try:
        return promql_parser.parse(expression)
    except ValueError as error:
        raise PromqlError(str(error).splitlines()[0]) from error


_OPS: Mapping[str, Operator] = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def _seconds(duration: Any) -> float:
    return float(duration.total_seconds()) if duration is not None else 0.0


def _selector(vector: Any, range_s: float) -> Selector:
    matchers = tuple(Matcher(m.name, _OPS[str(m.op).rsplit(".", 1)[-1]], m.value) for m in vector.matchers.matchers)
    return Selector(vector.name or "", matchers, range_s, abs(_seconds(vector.offset)))


def selector_of(node: Any) -> Selector:
    """The selector that a VectorSelector or MatrixSelector of a syntax tree is."""
    if type(node).__name__ == "MatrixSelector":
        return _selector(node.vector_selector, _seconds(node.range))
    return _selector(node, 0.0)


def normal(expression: str) -> str:
    """An expression in one form, whatever its blanks, line breaks and order of matchers; itself if it is no PromQL."""
    try:
        return str(parse(expression).prettify())
    except PromqlError:
        return expression


def selectors(expression: str) -> tuple[Selector, ...]:
    """Every selector of an expression, subquery ranges added to those inside them; each once."""
    found: list[Selector] = []

    def visit(node: Any, extra_s: float) -> None:
        kind = type(node).__name__
        if kind == "MatrixSelector":
            found.append(_selector(node.vector_selector, extra_s + _seconds(node.range)))
            return
        if kind == "VectorSelector":
            found.append(_selector(node, extra_s))
            return
        if kind == "SubqueryExpr":
            extra_s += _seconds(node.range) + abs(_seconds(node.offset))
        for one in _children(node):
            visit(one, extra_s)

    visit(parse(expression), 0.0)
    return tuple(dict.fromkeys(found))


def _children(node: Any) -> Iterator[Any]:
    """The nodes right below a node of a syntax tree."""
    for name in _CHILDREN:
        child = getattr(node, name, None)
        for one in child if isinstance(child, list) else [child]:
            if one is not None and type(one).__module__.startswith("promql_parser"):
                yield one


def walk(node: Any) -> Iterator[Any]:
    """A node of a syntax tree and all below it."""
    yield node
    for one in _children(node):
        yield from walk(one)


_TWO_SAMPLES = frozenset(
    {"rate", "increase", "irate", "delta", "idelta", "deriv", "predict_linear", "changes", "resets"}
    | {"holt_winters", "double_exponential_smoothing"}
)
"""Functions that say nothing, or nothing new, of a window with one sample."""


@dataclass(frozen=True)
class Range:
    """A range selector, and how many samples its function needs in it."""

    function: str
    selector: Selector
    samples: int


def ranges(expression: str) -> tuple[Range, ...]:
    """Every range selector of an expression, with its own range; each once."""
    found: list[Range] = []

    def visit(node: Any, function: str) -> None:
        kind = type(node).__name__
        if kind == "MatrixSelector":
            selector = _selector(node.vector_selector, _seconds(node.range))
            found.append(Range(function, selector, 2 if function in _TWO_SAMPLES else 1))
            return
        if kind == "Call":
            function = str(node.func.name)
        for one in _children(node):
            visit(one, function)

    visit(parse(expression), "")
    return tuple(dict.fromkeys(found))


def lookback_s(expression: str) -> float:
    """Seconds of the past that an expression reads: its longest range plus offset."""
    return max((s.range_s + s.offset_s for s in selectors(expression)), default=0.0)


def inline(expression: str, recorded: Mapping[str, str]) -> str | None:
    """The expression with recorded metrics replaced by what records them, through chains.

    Matchers on a replaced metric are dropped: whoever asks compares the label sets of the answer. None where that
    would not be sound: a range or an offset over a recorded metric, or a chain that does not end.
    """
    for _ in range(MAX_CHAIN):
        used = [s for s in selectors(expression) if s.name in recorded]
        if not used:
            return expression
        if any(s.range_s or s.offset_s for s in used):
            return None
        names = "|".join(re.escape(name) for name in sorted({s.name for s in used}, key=len, reverse=True))
        pattern = rf"(?<![\w:])({names})(?![\w:])\s*(\{{[^}}]*\}})?"
        expression = re.sub(pattern, lambda found: f"({recorded[found[1]]})", expression)
    return None


@dataclass(frozen=True)
class Ratio:
    """`sum(rate(part[window])) / sum(rate(whole[window])) > threshold`."""

    part: Selector
    whole: Selector
    window_s: float
    threshold: float


@dataclass(frozen=True)
class Quantile:
    """`histogram_quantile(q, sum by (le) (rate(buckets[window]))) > threshold`."""

    q: float
    buckets: Selector
    window_s: float
    threshold: float


@dataclass(frozen=True)
class Evidence:
    """`evidence >= threshold series`, both exported by the reference monitor."""

    evidence: Selector


Condition = Ratio | Quantile | Evidence


def _bare(node: Any) -> Any:
    while type(node).__name__ == "ParenExpr":
        node = node.expr
    return node


def _rate(node: Any) -> Selector | None:
    """The selector of `sum [by (…)] (rate(selector[window]))` or of the bare rate."""
    node = _bare(node)
    if type(node).__name__ == "AggregateExpr" and str(node.op) == "sum":
        node = _bare(node.expr)
    if type(node).__name__ != "Call" or node.func.name not in ("rate", "increase"):
        return None
    matrix = _bare(node.args[0])
    if type(matrix).__name__ != "MatrixSelector":
        return None
    return _selector(matrix.vector_selector, _seconds(matrix.range))


def _comparison(node: Any) -> Condition | None:
    left, right = _bare(node.lhs), _bare(node.rhs)
    if type(left).__name__ == "VectorSelector" and type(right).__name__ == "VectorSelector":
        known = left.name == "model_drift_evidence" and right.name == "model_drift_threshold"
        return Evidence(_selector(left, 0.0)) if known else None
    if type(right).__name__ != "NumberLiteral":
        return None
    threshold = float(right.val)
    if type(left).__name__ == "BinaryExpr" and str(left.op) == "/":
        part, whole = _rate(left.lhs), _rate(left.rhs)
        if part and whole and part.range_s == whole.range_s:
            return Ratio(part, whole, part.range_s, threshold)
    if type(left).__name__ == "Call" and left.func.name == "histogram_quantile":
        buckets, q = _rate(left.args[1]), _bare(left.args[0])
        if buckets and type(q).__name__ == "NumberLiteral":
            return Quantile(float(q.val), buckets, buckets.range_s, threshold)
    return None


def conditions(expression: str) -> tuple[Condition, ...] | None:
    """The conditions of an (inlined) alert expression that must hold together; None where one is of no known shape."""
    node = _bare(parse(expression))
    if type(node).__name__ != "BinaryExpr":
        return None
    if str(node.op) == "and":
        left, right = conditions(node.lhs.prettify()), conditions(node.rhs.prettify())
        return left + right if left is not None and right is not None else None
    if str(node.op) not in (">", ">="):
        return None
    one = _comparison(node)
    return None if one is None else (one,)
