"""What a monitor exports only where it is given predictions, feedback, a check: rules on it must be asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alertdrill.alerting.wording import number
from alertdrill.core.errors import BadInput, BadValue, Mistake, nearest
from alertdrill.core.units import parse_comparison

PLAIN = ("labels", "predictions", "accuracy_check")
BOUNDED = ("quality", "proxy", "business")
EXAMPLES = {
    "quality": "quality:auc>=0.85",
    "proxy": "proxy:click_through>=0.02",
    "business": "business:conversion>=0.02",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
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
    if name is None or not _NAME.fullmatch(name):
        raise BadValue(f"{group}: with a name (letters, digits, _) and a bound", f"write {EXAMPLES[group]}")
    try:
        compared = parse_comparison(comparison)
    except BadValue:
        compared = None
    if compared is None or compared.symbol not in (">=", "<="):
        raise BadValue("the name with >= or <= and a number", f"write {group}:{name}>=0.9, or {group}:{name}<=0.9")
    return group, Bound(name, compared.symbol == ">=", compared.number)
