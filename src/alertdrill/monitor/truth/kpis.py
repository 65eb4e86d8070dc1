"""KPIs computed from labelled predictions: a count, sum, mean or rate, as SQL over the store's columns."""

import re
from dataclasses import dataclass

from alertdrill.monitor.truth.values import Label, label_of
from alertdrill.protocols.figures import KPI_NAME, Task

NUMBERS = ("value", "score")
CLASSES = ("label", "predicted")
GRAMMAR = re.compile(r"(count|rate|sum|mean)\((.*)\)", re.DOTALL)
TERM = re.compile(r"\s*([a-z]+)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*", re.DOTALL)
HOW = "write fraud_caught=sum(value where label = 1 and predicted = 1), or conversion=rate(label = 1)"


@dataclass(frozen=True)
class Kpi:
    """A figure of the business.

    Attributes:
        name: value of the label `kpi`.
        sql: one column of a SELECT over rows that have a label.
        arguments: for its placeholders.
        grows: whether it grows with the number of rows, as counts and sums do.
    """

    name: str
    sql: str
    arguments: tuple[Label, ...]
    grows: bool


def parse_kpi(text: str, task: Task) -> Kpi:
    """The KPI in `NAME=count(COND)`, `rate(COND)`, `sum(FIELD where COND)` or `mean(FIELD where COND)`.

    COND is one or more of `FIELD OPERATOR LITERAL`, joined by `and`; the fields are label, predicted, score and value.
    All are over the predictions of the window whose label is known; a rate is their share for which COND holds.

    Raises:
        ValueError: it is anything else; the message says how to write one.
    """
    name, _, formula = (part.strip() for part in text.partition("="))
    found = GRAMMAR.fullmatch(formula)
    if not KPI_NAME.fullmatch(name) or not found:
        raise ValueError(f"got {text!r}, expected NAME=FORMULA; fix: {HOW}")
    kind, inside = found[1], found[2]
    if kind in ("sum", "mean"):
        field, _, condition = (part.strip() for part in inside.partition(" where "))
        if field not in NUMBERS:
            raise ValueError(f"got {field!r} in {text!r}, expected one of {', '.join(NUMBERS)}; fix: {HOW}")
        where, arguments = _condition(condition, task, text) if condition else ("1", ())
        total = "total" if kind == "sum" else "avg"
        return Kpi(name, f"{total}(CASE WHEN {where} THEN {field} END)", arguments, kind == "sum")
    where, arguments = _condition(inside, task, text)
    return Kpi(name, f"{'total' if kind == 'count' else 'avg'}(coalesce({where}, 0))", arguments, kind == "count")


def _condition(text: str, task: Task, whole: str) -> tuple[str, tuple[Label, ...]]:
    terms, arguments = list[str](), list[Label]()
    for part in text.split(" and "):
        found = TERM.fullmatch(part)
        if not found or found[1] not in NUMBERS + CLASSES:
            raise ValueError(f"got {part!r} in {whole!r}, expected FIELD OPERATOR LITERAL; fix: {HOW}")
        literal = _literal(found[1], found[2], found[3], task)
        if literal is None:
            raise ValueError(f"got {part!r} in {whole!r}, which {found[1]} cannot be compared so; fix: {HOW}")
        terms.append(f"{found[1]} {found[2]} ?")
        arguments.append(literal)
    return f"({' AND '.join(terms)})", tuple(arguments)


def _literal(field: str, operator: str, text: str, task: Task) -> Label | None:
    if field in CLASSES and task is Task.CLASSIFICATION:
        return label_of(task, text.strip("'\"")) if operator in ("=", "!=") else None
    try:
        return float(text)
    except ValueError:
        return None
