"""Which loaded alert rules a drill is about, and how long their memory of a fault lasts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alertdrill.core.detection import whole_intervals_ms
from alertdrill.core.kept import Kept
from alertdrill.core.matchers import Matcher, all_match, exactly, may_match
from alertdrill.core.observations import RuleGroup, RuleInfo
from alertdrill.core.promql import MAX_CHAIN, PromqlError, Selector, inline, selectors
from alertdrill.core.scenario import Expectation, Prohibition, Scenario


@dataclass(frozen=True)
class AlertRule:
    """An alerting rule with the group that evaluates it."""

    group: RuleGroup
    rule: RuleInfo

    @property
    def name(self) -> str:
        """Name of the alert."""
        return self.rule.name

    @property
    def labels(self) -> dict[str, str]:
        """The labels that the rule adds, `alertname` included."""
        return {"alertname": self.rule.name, **self.rule.labels}

    @property
    def fixed_labels(self) -> dict[str, str]:
        """Of these, the ones that are the same for all its alerts: those without a template."""
        return {name: value for name, value in self.labels.items() if "{{" not in value}

    def may_give(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels, `alertname` included, can be one of its own."""
        return all(labels.get(name) == value for name, value in self.fixed_labels.items())

    @property
    def interval_ms(self) -> int:
        """Evaluation interval of its group."""
        return round(self.group.interval_s * 1000)

    @property
    def for_ms(self) -> int:
        """How long the condition must hold."""
        return round(self.rule.for_s * 1000)

    def scrape_ms(self, usual_ms: int) -> int:
        """How often the slowest of the targets that it reads is scraped; `usual_ms` where that is not known."""
        return usual_ms if self.rule.scrape_s is None else round(self.rule.scrape_s * 1000)


@dataclass(frozen=True)
class RuleBook:
    """The rules that an engine has loaded."""

    alerts: tuple[AlertRule, ...]
    recorded: Mapping[str, str]

    @classmethod
    def of(cls, groups: Iterable[RuleGroup]) -> "RuleBook":
        """Sort the rules of all groups into alerts and recorded metrics."""
        pairs = [(group, rule) for group in groups for rule in group.rules]
        return cls(
            alerts=tuple(AlertRule(group, rule) for group, rule in pairs if rule.type == "alerting"),
            recorded={rule.name: rule.query for _, rule in pairs if rule.type == "recording"},
        )

    def named(self, name: str) -> tuple[AlertRule, ...]:
        """The rules of one alert name."""
        return tuple(alert for alert in self.alerts if alert.name == name)

    def rule_of(self, expectation: Expectation) -> AlertRule | None:
        """The rule that an expectation is about: of those with its alert's name the one whose labels fit."""
        rules = self.named(expectation.alert)
        wanted = wanted_by(expectation)
        fitting = [one for one in rules if may_match(wanted, one.fixed_labels)]
        return next(iter(fitting or rules), None)

    def inputs(self, rule: AlertRule) -> tuple[Selector, ...]:
        """The scraped series behind an alert, and the recorded ones between, ranges summed along the chain."""
        found: list[Selector] = []
        todo = [(rule.rule.query, 0.0, 0)]
        while todo:
            expression, extra_s, depth = todo.pop()
            for one in _selectors(expression):
                found.append(Selector(one.name, one.matchers, one.range_s + extra_s, one.offset_s))
                if one.name in self.recorded and depth < MAX_CHAIN:
                    todo.append((self.recorded[one.name], extra_s + one.range_s + one.offset_s, depth + 1))
        return tuple(dict.fromkeys(found))

    def readable(self, rule: AlertRule) -> bool:
        """Whether all that an alert reads is known: its expression, and those of what it reads, are PromQL."""
        chain = [self.recorded.get(one.name) for one in self.inputs(rule)]
        try:
            return all(selectors(one) is not None for one in (rule.rule.query, *chain) if one is not None)
        except PromqlError:
            return False

    def lookback_ms(self, rule: AlertRule) -> int:
        """How far back an alert looks, through chains, in ms."""
        return round(1000 * max((s.range_s + s.offset_s for s in self.inputs(rule)), default=0.0))

    def inlined(self, rule: AlertRule) -> str | None:
        """The alert's expression over scraped series alone; None where that would not be sound.

        What Grafana calls a rule's query lacks its condition, and vmalert looks at older samples than those of its
        evaluation.
        """
        if rule.group.engine != "prometheus":
            return None
        try:
            return inline(rule.rule.query, self.recorded)
        except PromqlError:
            return None


def _selectors(expression: str) -> tuple[Selector, ...]:
    try:
        return selectors(expression)
    except PromqlError:
        return ()


def prohibits(prohibition: Prohibition, labels: Mapping[str, str]) -> bool:
    """Whether a prohibition speaks of an alert with these labels, `alertname` included."""
    name = labels.get("alertname", "")
    if name in prohibition.except_ or (prohibition.alert is not None and prohibition.alert != name):
        return False
    return all_match((*exactly(prohibition.labels), *prohibition.matchers), labels)


def could_prohibit(prohibition: Prohibition, labels: Mapping[str, str]) -> bool:
    """Whether a prohibition may speak of the alerts of a rule with these labels, `alertname` included.

    The alerts of a rule carry labels of their series too: a prohibition that names the alert must only not contradict.
    """
    if prohibition.alert is None or prohibition.alert != labels.get("alertname"):
        return prohibits(prohibition, labels)
    if prohibition.alert in prohibition.except_:
        return False
    known = {name: value for name, value in labels.items() if "{{" not in value}
    return may_match((*exactly(prohibition.labels), *prohibition.matchers), known)


def wanted_by(expectation: Expectation) -> tuple[Matcher, ...]:
    """What an expectation asks of the labels of an alert of its name."""
    return (*exactly(expectation.labels), *expectation.matchers)


def expects(expectation: Expectation, labels: Mapping[str, str]) -> bool:
    """Whether an expectation is met by an alert with these labels, `alertname` included."""
    return labels.get("alertname") == expectation.alert and all_match(wanted_by(expectation), labels)


def in_scope(scenario: Scenario, labels: Mapping[str, str]) -> bool:
    """Whether an alert belongs to the drill: expected, prohibited, or named by `monitoring.scope`."""
    scope = scenario.monitoring.scope
    if labels.get("alertname") in scope.alerts:
        return True
    named = (*exactly(scope.labels), *scope.matchers)
    return bool(named and all_match(named, labels)) or _expected_or_prohibited(scenario, labels)


def recorded(scenario: Scenario, kept: Kept, labels: Mapping[str, str]) -> bool:
    """Whether a recording is to hold what the rule of an alert with these labels, `alertname` included, reads."""
    return _expected_or_prohibited(scenario, labels) if kept is Kept.EXPECTED else in_scope(scenario, labels)


def _expected_or_prohibited(scenario: Scenario, labels: Mapping[str, str]) -> bool:
    phases = scenario.phases
    if any(e.alert == labels.get("alertname") for phase in phases for e in phase.expect):
        return True
    rules = [*scenario.must_not_fire, *(p for phase in phases for p in phase.must_not_fire)]
    return any(could_prohibit(prohibition, labels) for prohibition in rules)


def tail_ms(scenario: Scenario, book: RuleBook, scrape_ms: int) -> int:
    """How long after its last effect a fault can still make an alert in scope fire.

    The longest of lookback + ceil(for / E) * E + scrape + evaluation + lag over the rules in scope. `scrape_ms` stands
    for the scrape interval of rules of which it is not known.
    """
    slowest = slowest_rule(scenario, book, scrape_ms)
    return scrape_ms if slowest is None else _memory_ms(book, slowest, scrape_ms)


def slowest_rule(scenario: Scenario, book: RuleBook, scrape_ms: int) -> AlertRule | None:
    """The rule in scope that can fire latest after the last effect of a fault; None where none is in scope."""
    rules = [rule for rule in book.alerts if in_scope(scenario, rule.labels)]
    return max(rules, key=lambda rule: _memory_ms(book, rule, scrape_ms), default=None)


def _memory_ms(book: RuleBook, rule: AlertRule, scrape_ms: int) -> int:
    hold_ms = whole_intervals_ms(rule.for_ms, rule.interval_ms)
    lag_ms = round(rule.group.lag_s * 1000)
    return book.lookback_ms(rule) + hold_ms + rule.scrape_ms(scrape_ms) + rule.interval_ms + lag_ms
