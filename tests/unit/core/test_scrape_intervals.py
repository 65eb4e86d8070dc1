import pytest
from drill import RULES, group, nulls_phase, read, rule

from alertdrill.core.observations import TargetInfo
from alertdrill.core.promql import Selector, selectors
from alertdrill.core.scope import RuleBook
from alertdrill.core.scrape_intervals import ScrapeIntervals, scoped, scraped, slowest_s, too_short, with_intervals


def target(job: str, instance: str, interval_s: float) -> TargetInfo:
    labels = {"job": job, "instance": instance, "zone": "a"}
    return TargetInfo(job, instance, f"http://{instance}/metrics", labels, "up", "", None, interval_s, 10.0)


TARGETS = [target("monitor", "m:1", 15.0), target("monitor", "m:2", 60.0), target("node", "n:1", 300.0)]


def selector(text: str) -> Selector:
    return selectors(text)[0]


def seen(*instances: str) -> list[dict[str, str]]:
    return [{"job": "monitor", "instance": instance} for instance in instances]


@pytest.mark.parametrize(
    ("text", "found", "slowest"),
    [
        ("values_total", seen("m:1"), 15.0),
        ("values_total", seen("m:1", "m:2"), 60.0),
        ("values_total", [], None),
        ("values_total", seen("gone:1"), None),
        ('values_total{job="monitor"}', [], 60.0),
        ('values_total{job=~"monitor|node"}', [], 300.0),
        ('values_total{instance="m:1"}', [], 15.0),
        ('values_total{zone="a"}', [], None),
    ],
)
def test_the_slowest_target_that_a_selector_reads_decides(
    text: str, found: list[dict[str, str]], slowest: float | None
) -> None:
    assert slowest_s(found, selector(text), TARGETS) == slowest


def test_what_rules_in_scope_read_is_asked_for_through_recorded_metrics_and_once() -> None:
    book = RuleBook.of([RULES])
    assert scraped(book, scoped(read(), book)) == ('values_total{cell="null"}', "values_total")


def test_a_rule_knows_the_slowest_of_all_that_it_reads_and_others_know_nothing() -> None:
    intervals = ScrapeIntervals({'values_total{cell="null"}': 15.0, "values_total": 60.0})
    (told,) = with_intervals([RULES], intervals)
    by_name = {one.name: one.scrape_s for one in told.rules}
    assert by_name == {"nulls:ratio5s": None, "NullsHigh": 60.0, "Slow": None, "Down": None}
    (alert,) = RuleBook.of([told]).named("NullsHigh")
    assert alert.scrape_ms(1000) == 60_000
    assert RuleBook.of([RULES]).named("NullsHigh")[0].scrape_ms(1000) == 1000


def refused(expression: str, interval_s: float, name: str = "NullsHigh") -> list[str]:
    book = RuleBook.of([group(rule(name, expression), rule("Other", "rate(other[1s]) > 0"))])
    found = ScrapeIntervals({"values_total": interval_s, "other": 60.0})
    return [f"{one.path} {one.got}; {one.expected}; {one.fix}" for one in too_short(read(nulls_phase()), book, found)]


@pytest.mark.parametrize(
    ("expression", "interval_s", "short"),
    [
        ("rate(values_total[5m]) > 1", 60.0, False),
        ("rate(values_total[2m]) > 1", 60.0, False),
        ("rate(values_total[119s]) > 1", 60.0, True),
        ("sum(increase(values_total[1m])) / 2 > 1", 60.0, True),
        ("max_over_time(rate(values_total[1m])[10m:1m]) > 1", 60.0, True),
        ("max_over_time(values_total[1m]) > 1", 60.0, False),
        ("max_over_time(values_total[30s]) > 1", 60.0, True),
        ("rate(values_total[30s]) > 1", 15.0, False),
        ("rate(unknown[1s]) > 1", 60.0, False),
        ("values_total > 1", 60.0, False),
    ],
)
def test_windows_with_too_few_scrapes_for_their_function_are_refused(
    expression: str, interval_s: float, short: bool
) -> None:
    assert bool(refused(expression, interval_s)) is short


def test_the_message_names_rule_window_interval_and_what_would_do() -> None:
    (message,) = refused("rate(values_total[30s]) > 1", 60.0)
    assert message == (
        "('nulls', 'expect', 0, 'alert') rate over [30s] in NullsHigh; "
        "a window of two scrapes or more: values_total is scraped every 1m; "
        "write [2m] or more in the rule (group drill), or scrape that job every 15s"
    )


def test_a_recorded_metric_s_own_window_counts() -> None:
    book = RuleBook.of([group(rule("r", "rate(values_total[5s])", kind="recording"), rule("NullsHigh", "r > 1"))])
    (one,) = too_short(read(nulls_phase()), book, ScrapeIntervals({"values_total": 15.0}))
    assert one.got == "rate over [5s] in NullsHigh"
