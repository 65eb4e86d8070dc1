"""What a monitor exports only where it is given predictions, feedback, a check: rules on it must be asked for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alertdrill.alerting.wording import number
from alertdrill.core.errors import BadInput, BadValue, Mistake, nearest
from alertdrill.core.units import parse_comparison
from alertdrill.protocols.figures import KPI_NAME, Metric, ProxyMetric

PLAIN = ("labels", "predictions", "accuracy_check")
BOUNDED = ("quality", "proxy", "business")
EXAMPLES = {
    "quality": "quality:auc>=0.85",
    "proxy": "proxy:click_through>=0.02",
    "business": "business:conversion>=0.02",
}
EITHER = (">=", "<=")
SIDES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "quality": {metric.value: ("<=",) if metric.is_error else (">=",) for metric in Metric},
    "proxy": {ProxyMetric.POSITIVE_RATE.value: EITHER, ProxyMetric.CLICK_THROUGH.value: (">=",)},
}
"""The figures that there are in a group, and on which side of a bound each may be promised to lie."""
_ITEM = re.compile(r"\s*([^:\s]*)\s*(?::\s*([^\s<>=!]*)\s*(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Bound:
    """What is promised of a number.

    Attributes:
        name: of a quality metric or a KPI.
        at_least: whether `value` is the least that is promised; else the most.
        value: the bound.
    """

    name: str
    at_least: bool
    value: float

    @property
    def broken_by(self) -> str:
        """The comparison that a value beyond the bound meets."""
        return "<" if self.at_least else ">"

    @property
    def words(self) -> str:
        """The promise in words."""
        return f"at {'least' if self.at_least else 'most'} {number(self.value)}"


@dataclass(frozen=True)
class Choices:
    """What rules and dashboards may rely on besides requests.

    Attributes:
        labels: ground truth arrives.
        predictions: answers hold a score or a class where the monitor looks for it.
        accuracy_check: the monitor has an accuracy check.
        quality, proxy, business: bounds of quality metrics, of their proxies, of KPIs.
    """

    labels: bool = False
    predictions: bool = False
    accuracy_check: bool = False
    quality: tuple[Bound, ...] = ()
    proxy: tuple[Bound, ...] = ()
    business: tuple[Bound, ...] = ()


def read_choices(texts: Sequence[str]) -> Choices:
    """The choices of `--with`, each text a list with commas of `labels`, `predictions`, `accuracy_check` or bounds.

    A bound is `GROUP:NAME>=NUMBER` or `<=`. Bounds of quality, and the check, bring the rules on labels with them.

    Raises:
        BadInput: with every mistake.
    """
    plain: set[str] = set()
    bounds: dict[str, list[Bound]] = {group: [] for group in BOUNDED}
    mistakes: list[Mistake] = []
    for item in (item for text in texts for item in text.split(",")):
        try:
            group, bound = _read(item)
            if bound is None:
                plain.add(group)
            elif any(one.name == bound.name for one in bounds[group]):
                raise BadValue(f"one bound for {bound.name}", "leave one of them out")
            else:
                bounds[group].append(bound)
        except BadValue as error:
            mistakes.append(Mistake("--with", item.strip() or "nothing", error.expected, error.fix))
    if mistakes:
        raise BadInput(mistakes)
    quality = tuple(bounds["quality"])
    return Choices(
        labels=bool(plain & {"labels", "accuracy_check"}) or bool(quality),
        predictions="predictions" in plain,
        accuracy_check="accuracy_check" in plain,
        quality=quality,
        proxy=tuple(bounds["proxy"]),
        business=tuple(bounds["business"]),
    )


def _read(item: str) -> tuple[str, Bound | None]:
    found = _ITEM.fullmatch(item)
    group, name, comparison = found.groups() if found else ("", None, None)
    if group in PLAIN and name is None:
        return group, None
    if group not in BOUNDED:
        near = nearest(group, [*PLAIN, *BOUNDED])
        example = EXAMPLES.get(near or "", near or "labels")
        raise BadValue(f"one of {', '.join(PLAIN)}, or NAME>=NUMBER after {': or '.join(BOUNDED)}:", f"write {example}")
    if not name:
        raise BadValue(f"{group}: with a name and a bound", f"write {EXAMPLES[group]}")
    try:
        compared = parse_comparison(comparison)
    except BadValue:
        compared = None
    bound = "0.9" if compared is None else number(compared.number)
    sides = _sides(group, name, bound)
    if compared is None or compared.symbol not in sides:
        fix = ", or ".join(f"{group}:{name}{side}{bound}" for side in sides)
        raise BadValue(f"{name} with {' or '.join(sides)} and a number", f"write {fix}")
    return group, Bound(name, compared.symbol == ">=", compared.number)


def _sides(group: str, name: str, bound: str) -> Sequence[str]:
    """On which sides of a bound a figure may be promised to lie."""
    known = SIDES.get(group)
    if known is None and not KPI_NAME.fullmatch(name):
        expected = f"{group}: with a name of up to 64 letters, digits and _ (first no digit), and a bound"
        raise BadValue(expected, f"write {EXAMPLES[group]}")
    if known is not None and name not in known:
        near = nearest(name, known)
        fix = f"{group}:{near}{known[near][0]}{bound}" if near else EXAMPLES[group]
        raise BadValue(f"one of {', '.join(known)} after {group}:", f"write {fix}")
    return EITHER if known is None else known[name]
