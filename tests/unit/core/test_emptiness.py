import pytest

from alertdrill.core.emptiness import empty_selectors

RECORDED = {
    "job:ratio": "sum(rate(gone[5m])) / sum(rate(there[5m]))",
    "job:total": "sum(there)",
    "loop:a": "loop:b + 1",
    "loop:b": "loop:a + 1",
}


@pytest.mark.parametrize(
    ("expression", "missing"),
    [
        ("there > 1", []),
        ("gone > 1", ["gone"]),
        ('gone{a="b"}[5m]', ['gone{a="b"}']),
        ("rate(gone[5m]) / rate(there[5m])", ["gone"]),
        ("1 + sum by (x) (gone)", ["gone"]),
        ("absent(gone)", []),
        ("absent_over_time(gone[5m])", []),
        ("vector(1)", []),
        ("there or gone", []),
        ("gone or nowhere", ["gone", "nowhere"]),
        ("there and gone", ["gone"]),
        ("there unless gone", []),
        ("gone unless there", ["gone"]),
        ("max_over_time(rate(gone[1m])[5m:30s])", ["gone"]),
        ("histogram_quantile(0.9, sum by (le) (rate(gone[5m])))", ["gone"]),
        ("label_replace(gone, 'a', 'b', 'c', 'd')", ["gone"]),
        ("-gone", ["gone"]),
        ("(gone)", ["gone"]),
        ("time() - there > 5", []),
        ("gone * scalar(nowhere)", ["gone"]),
        ("job:total > 1", []),
        ("job:ratio > 1", ["gone"]),
        ("loop:a > 1", []),
        ("no promql at all (", []),
    ],
)
def test_what_can_never_answer_is_known_by_the_series_it_lacks(expression: str, missing: list[str]) -> None:
    found = empty_selectors(expression, RECORDED, lambda selector: selector.name == "there")
    assert [one.text() for one in found] == missing
