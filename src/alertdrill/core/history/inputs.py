"""What must be read of a Prometheus to evaluate rules over its past, and from when on."""

from collections.abc import Iterable, Mapping

from alertdrill.core.promql import Selector
from alertdrill.core.replay.coverage import covers
from alertdrill.core.replay.dependencies import ALERT_SERIES, Place, Rules
from alertdrill.core.scope import AlertRule, RuleBook

MINUTE_MS = 60_000


def is_written(rules: Rules, labels: Mapping[str, str]) -> bool:
    """Whether a series is written by one of these rules, so that it is worked out anew and not read."""
    name = labels.get("__name__", "")
    kind, wanted = ("alerting", labels.get("alertname")) if name in ALERT_SERIES else ("recording", name)
    return any(rules[place].type == kind and rules[place].name == wanted for place in rules.places)


def inputs(rules: Rules, place: Place) -> tuple[Selector, ...]:
    """The selectors, without range, of what an alert reads through chains and none of these rules writes."""
    found: dict[Selector, None] = {}
    for one in sorted(rules.behind([place]), key=lambda each: (each.group, each.rule)):
        for selector in rules.selectors[one]:
            named = {each.label: each.value for each in selector.matchers if each.op == "="}
            named |= {"__name__": selector.name} if selector.name else {}
            if not is_written(rules, named):
                found[Selector(selector.name, selector.matchers, 0.0, 0.0)] = None
    return tuple(found)


def fewest(selectors: Iterable[Selector]) -> tuple[Selector, ...]:
    """Those of some selectors that together read what all of them do, sorted by their text."""
    found: list[Selector] = []
    for one in sorted(dict.fromkeys(selectors), key=lambda each: (len(each.matchers), each.text())):
        if not any(covers(other, one) for other in found):
            found.append(one)
    return tuple(sorted(found, key=lambda each: each.text()))


def reach_ms(rules: Rules, place: Place, lookback_ms: int) -> int:
    """For how long before an evaluation a sample can matter to an alert: windows, offsets and state along its chain.

    Args:
        rules: all of them.
        place: of the alert.
        lookback_ms: how long the engine takes a sample for current, once for each rule of the chain.
    """
    alert = AlertRule(rules.groups[place.group], rules[place])
    behind = rules.behind([place])
    slowest = max(round(rules.groups[one.group].interval_s * 1000) for one in behind)
    held = round(1000 * (alert.rule.for_s + alert.rule.keep_firing_for_s))
    windows = RuleBook.of(rules.groups).lookback_ms(alert)
    return windows + held + len(behind) * (lookback_ms + slowest) + MINUTE_MS
