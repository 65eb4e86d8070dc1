"""Why a rule cannot be replayed exactly, by name; such rules are refused, not guessed at."""

import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from alertdrill.core.observations import RawSeries, RuleInfo
from alertdrill.core.promql import PromqlError, Selector, parse, walk
from alertdrill.core.recording import is_stale
from alertdrill.core.replay.visibility import Scrapes, Target, target_of

_HISTOGRAMS = frozenset({"histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar"})
_CHOOSING = ("topk", "bottomk", "limitk")
_TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ASKS = re.compile(r"(?<![\w.$])query\b")


def refusal(rule: RuleInfo) -> str | None:
    """What in a rule has no meaning in a replay, or another than live; None where there is nothing."""
    return next(_of_expression(rule.query), None) or next(_of_labels(rule.labels), None)


def by_storage(rule: RuleInfo) -> str | None:
    """What in a rule depends on the order in which the engine stored series, which no recording knows."""
    try:
        nodes = list(walk(parse(rule.query)))
    except PromqlError:
        return None
    found = [str(node.op) for node in nodes if type(node).__name__ == "AggregateExpr" and str(node.op) in _CHOOSING]
    return f"{found[0]} takes among equal values those that the engine stored first" if found else None


def _of_expression(query: str) -> Iterator[str]:
    try:
        nodes = list(walk(parse(query)))
    except PromqlError as error:
        yield f"its expression cannot be read ({error})"
        return
    for node in nodes:
        kind = type(node).__name__
        if getattr(node, "at", None) is not None:
            yield "an @ modifier looks at an instant of its own, which may lie ahead of the evaluation"
        offset = getattr(node, "offset", None)
        if offset is not None and offset.total_seconds() < 0:
            yield "a negative offset looks ahead of the evaluation"
        if kind == "Call" and str(node.func.name) in _HISTOGRAMS:
            yield f"{node.func.name} reads native histograms, which recordings do not hold"


def _of_labels(labels: Mapping[str, str]) -> Iterator[str]:
    for name, value in labels.items():
        if any(_ASKS.search(inner) for inner in _TEMPLATE.findall(value)):
            yield f"the template of label {name} asks a query of its own"


def unknown_arrival(selector: Selector, series: Iterable[RawSeries], scrapes: Mapping[Target, Scrapes]) -> str | None:
    """Why it is not known when a rule could see what it selects; None where it is."""
    for one in series:
        if not selector.matches(one.labels):
            continue
        name, known = one.labels.get("__name__", ""), scrapes.get(target_of(one))
        if known is None:
            return f"{name} is of no target that is scraped (remote-written, or by OTLP): when it arrived is not known"
        times = one.times_ms[~is_stale(one.values)]
        if not np.isin(times, known.at_ms).all():
            return f"{name} has timestamps of its own, not those of scrapes: when it arrived is not known"
    return None
