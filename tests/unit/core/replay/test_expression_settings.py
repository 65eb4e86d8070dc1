import pytest

from alertdrill.core.replay.expression_settings import NotOne, threshold, windows, with_threshold, with_window


@pytest.mark.parametrize(
    ("query", "value", "changed"),
    [
        ("x > 0.05", 0.05, "x > 0.3"),
        ('x{a="> 0.05"}  >  0.05', 0.05, 'x{a="> 0.05"}  >  0.3'),
        ("(sum(rate(x[5m])) / 0.05) > 0.05", 0.05, "(sum(rate(x[5m])) / 0.05) > 0.3"),
        ("x - 5 > -5", -5.0, "x - 5 > 0.3"),
        ("x >- 5", -5.0, "x >0.3"),
        ("5 < x", 5.0, "0.3 < x"),
        ("a > 1 and on () up", 1.0, "a > 0.3 and on () up"),
        ("up unless (a >= 1e3)", 1000.0, "up unless (a >= 0.3)"),
        ("count(up == 0) > 3", 3.0, "count(up == 0) > 0.3"),
        ("x:rate5 # > 5\n  > 5", 5.0, "x:rate5 # > 5\n  > 0.3"),
        ("rate(x[5m] offset 5m) == 0x10", 16.0, "rate(x[5m] offset 5m) == 0.3"),
    ],
)
def test_the_threshold_is_changed_where_it_stands(query: str, value: float, changed: str) -> None:
    assert threshold(query) == value
    assert with_threshold(query, 0.3) == changed
    assert with_threshold(query, value) == query
    assert threshold(with_threshold(query, -2.5)) == -2.5


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("up", "no comparison"),
        ("count(up == 0)", "no comparison"),
        ("x > y", "something else than one number"),
        ("x > 5 * 60", "something else than one number"),
        ("a > 1 and b > 1", "2 comparisons"),
        ("(0.1 < x) < 0.5", "a comparison of a comparison"),
        ("x > Inf", "not written as a plain number"),
    ],
)
def test_an_expression_without_one_threshold_has_none_to_be_set(query: str, said: str) -> None:
    with pytest.raises(NotOne, match=said):
        with_threshold(query, 1.0)


def test_every_window_is_changed_and_nothing_else() -> None:
    query = 'rate(x{a="[5m]"}[5m]) / rate(y[ 5m ] offset 5m) > 5'
    assert windows(query) == (300.0, 300.0)
    changed = with_window(query, "1m30s")
    assert changed == 'rate(x{a="[5m]"}[1m30s]) / rate(y[1m30s] offset 5m) > 5'
    assert windows(changed) == (90.0, 90.0)


def test_a_subquery_has_a_range_of_its_own() -> None:
    with pytest.raises(NotOne, match="subquery"):
        windows("max_over_time(rate(x[5m])[1h:1m])")
