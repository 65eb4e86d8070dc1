"""How often what a rule reads is scraped, as the engine's own targets say, and rules whose windows are too short."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alertdrill.core.observations import Labels, RuleGroup, RuleInfo, TargetInfo
from alertdrill.core.promql import PromqlError, Range, Selector, ranges
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.finding import TOP, Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scope import AlertRule, RuleBook, in_scope
from alertdrill.core.units import format_duration

NAMING = ("job", "instance")


@dataclass(frozen=True)
class ScrapeIntervals:
    """Seconds between two scrapes of the slowest target that a selector reads, by the selector without its range."""

    by_selector: Mapping[str, float] = field(default_factory=dict)

    def of(self, selector: Selector) -> float | None:
        """That of one selector; None where it is not known."""
        return self.by_selector.get(bare(selector))


UNKNOWN = ScrapeIntervals()
"""Those of an engine that scrapes everything alike."""


def bare(selector: Selector) -> str:
    """A selector without its range."""
    return Selector(selector.name, selector.matchers, 0.0, 0.0).text()


def scoped(scenario: Scenario, book: RuleBook) -> tuple[AlertRule, ...]:
    """The rules that a drill is about."""
    return tuple(rule for rule in book.alerts if in_scope(scenario, rule.labels))


def scraped(book: RuleBook, rules: Iterable[AlertRule]) -> tuple[str, ...]:
    """The selectors of scraped series that some rules read, each once, without ranges."""
    found = (one for rule in rules for one in book.inputs(rule) if one.name not in book.recorded)
    return tuple(dict.fromkeys(bare(one) for one in found if one.name or one.matchers))


def slowest_s(found: Sequence[Labels], selector: Selector, targets: Sequence[TargetInfo]) -> float | None:
    """Seconds between two scrapes of the slowest target that a selector reads; None where that cannot be told.

    Args:
        found: labels of the series that it finds at present, `job` and `instance` at least.
        selector: the selector.
        targets: those of the engine.

    Where no series is there yet, the targets that the selector names by `job` or `instance` count.
    """
    seen = {tuple(labels.get(name, "") for name in NAMING) for labels in found}
    intervals = [one.interval_s for one in targets if (one.job, one.instance) in seen]
    naming = [one for one in selector.matchers if one.label in NAMING]
    if not intervals and naming:
        intervals = [one.interval_s for one in targets if all(matcher.matches(one.labels) for matcher in naming)]
    return max(intervals, default=None)


def with_intervals(groups: Iterable[RuleGroup], intervals: ScrapeIntervals) -> tuple[RuleGroup, ...]:
    """Rule groups whose alerts know how often what they read is scraped."""
    groups = tuple(groups)
    book = RuleBook.of(groups)
    known: dict[int, float] = {}
    for alert in book.alerts:
        found = [each for one in book.inputs(alert) if (each := intervals.of(one)) is not None]
        if found:
            known[id(alert.rule)] = max(found)

    def told(rule: RuleInfo) -> RuleInfo:
        return replace(rule, scrape_s=known[id(rule)]) if id(rule) in known else rule

    return tuple(replace(group, rules=tuple(told(rule) for rule in group.rules)) for group in groups)


def too_short(scenario: Scenario, book: RuleBook, intervals: ScrapeIntervals) -> Iterator[Finding]:
    """Rules in scope that look at windows in which there are too few scrapes for what they work out."""
    for rule in scoped(scenario, book):
        for one in ranges_behind(book, rule):
            interval_s = intervals.of(one.selector)
            if interval_s is None or one.selector.range_s >= one.samples * interval_s:
                continue
            least_s = one.samples * interval_s
            many = "two scrapes" if one.samples == 2 else "a scrape"
            expected = (
                f"a window of {many} or more: {one.selector.name or bare(one.selector)} is scraped every "
                f"{format_duration(interval_s)}"
            )
            got = f"{one.function or 'a range'} over [{format_duration(one.selector.range_s)}] in {rule.name}"
            fix = (
                f"write [{format_duration(least_s)}] or more in the rule (group {rule.group.name}), or scrape that job "
                f"every {format_duration(one.selector.range_s / one.samples)}"
            )
            yield Finding(_place(scenario, rule), expected, fix, got)


def ranges_behind(book: RuleBook, rule: AlertRule) -> tuple[Range, ...]:
    """The range selectors of a rule and of what it reads, through chains of recorded metrics."""
    chain = (book.recorded.get(one.name) for one in book.inputs(rule))
    expressions = (rule.rule.query, *(one for one in chain if one is not None))
    return tuple(dict.fromkeys(one for expression in expressions for one in _of(expression)))


def _of(expression: str) -> tuple[Range, ...]:
    try:
        return ranges(expression)
    except PromqlError:
        return ()


def _place(scenario: Scenario, rule: AlertRule) -> Path:
    """Where the scenario brings a rule in: the expectation of it, else the scope."""
    for phase in scenario.phases:
        for position, expectation in enumerate(phase.expect):
            if expectation.alert == rule.name:
                return (phase.name, "expect", position, "alert")
    return (TOP, "monitoring", "scope")
