import pytest

from alertdrill.core.promql import (
    Evidence,
    Matcher,
    PromqlError,
    Quantile,
    Ratio,
    Selector,
    conditions,
    inline,
    lookback_s,
    parse,
    selectors,
)

RATIO = 'sum by (feature) (rate(bad{cell=~"null|missing"}[5s])) / sum by (feature) (rate(bad[5s]))'
P95 = "histogram_quantile(0.95, sum by (le) (rate(seconds_bucket[10s])))"


def test_a_syntax_error_is_told_in_one_line() -> None:
    with pytest.raises(PromqlError) as error:
        parse("sum(")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("op", "value", "labels", "matches"),
    [
        ("=", "a", {"x": "a"}, True),
        ("=", "", {}, True),
        ("!=", "a", {}, True),
        ("=~", "a|b", {"x": "b"}, True),
        ("=~", "a", {"x": "ab"}, False),
        ("=~", ".*", {}, True),
        ("!~", "a.*", {"x": "ab"}, False),
    ],
)
def test_a_matcher_is_anchored_and_takes_a_missing_label_for_the_empty_one(
    op: str, value: str, labels: dict[str, str], matches: bool
) -> None:
    assert Matcher("x", op, value).matches(labels) is matches


def test_selectors_carry_range_offset_and_subquery() -> None:
    found = selectors("max_over_time(rate(a[1m])[10m:1m]) + b offset 5m and b offset 5m")
    assert found == (Selector("a", (), 660.0, 0.0), Selector("b", (), 0.0, 300.0))


def test_a_selector_matches_by_name_and_labels() -> None:
    (one,) = selectors('up{job="monitor"}')
    assert one.matches({"__name__": "up", "job": "monitor", "instance": "x"})
    assert not one.matches({"__name__": "up", "job": "model"})
    assert one.text() == 'up{job="monitor"}'


def test_lookback_is_the_longest_range_with_its_offset() -> None:
    assert lookback_s("rate(a[5m]) / rate(b[1m] offset 10m)") == 660.0
    assert lookback_s("up == 0") == 0.0


def test_recorded_metrics_are_inlined_through_chains() -> None:
    recorded = {"one:ratio": "two:sum / 2", "two:sum": "sum(rate(a[5s]))"}
    found = inline('one:ratio{job="x"} > 0.5', recorded)
    assert found is not None
    assert found.replace(" ", "") == "((sum(rate(a[5s])))/2)>0.5"


def test_a_name_that_begins_alike_is_not_replaced() -> None:
    assert inline("a:b:c > a:b", {"a:b": "x"}) == "a:b:c > (x)"


@pytest.mark.parametrize("expression", ["rate(rec[5m]) > 1", "rec offset 1m > 1"])
def test_a_range_over_a_recorded_metric_cannot_be_inlined(expression: str) -> None:
    assert inline(expression, {"rec": "sum(a)"}) is None


def test_a_chain_that_does_not_end_cannot_be_inlined() -> None:
    assert inline("rec > 1", {"rec": "rec + 1"}) is None


def test_a_ratio_of_rates_is_known() -> None:
    (one,) = conditions(f"({RATIO}) > 0.05") or ()
    assert isinstance(one, Ratio)
    assert (one.part.name, one.window_s, one.threshold) == ("bad", 5.0, 0.05)
    assert one.part.matchers == (Matcher("cell", "=~", "null|missing"),)


def test_quantiles_that_must_hold_together_are_known() -> None:
    long, short = conditions(f"({P95}) > 0.25 and ({P95.replace('10s', '4s')}) > 0.25") or ()
    assert isinstance(long, Quantile)
    assert isinstance(short, Quantile)
    assert (long.q, long.window_s, short.window_s, short.threshold) == (0.95, 10.0, 4.0, 0.25)


def test_evidence_of_the_reference_monitor_is_known() -> None:
    (one,) = conditions("model_drift_evidence >= model_drift_threshold") or ()
    assert isinstance(one, Evidence)


@pytest.mark.parametrize(
    "expression",
    [
        "a > b",
        "absent(up)",
        f"({RATIO}) < 0.05",
        "sum(rate(a[5s])) / sum(rate(b[10s])) > 0.1",
        "avg_over_time(a[5m]) > 1",
        "a > 1 or b > 1",
        "a > 1 and b > 1 unless c",
    ],
)
def test_other_shapes_are_unknown(expression: str) -> None:
    assert conditions(expression) is None


def test_a_selector_reads_back_from_its_text():
    (one,) = selectors(r'x{a="say \"hi\"",b=~"c\\.d"}')
    assert [m.value for m in one.matchers] == ['say "hi"', r"c\.d"]
    assert selectors(one.text()) == (one,)
