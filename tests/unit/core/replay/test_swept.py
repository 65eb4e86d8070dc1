"""Where the rules as they are written stand among the values of a sweep."""

from alertdrill.core.replay.settings import Setting, parse_settings, points
from alertdrill.core.replay.sweep import Point
from alertdrill.core.replay.swept import chosen_values, point, sweep, written_value


def found(text: str, written: set[float], same: float | None = None) -> list[tuple[str, bool]]:
    settings: tuple[Setting, ...] = parse_settings([text])
    made: list[Point] = [
        point(chosen_values(choices), choices[0].value == same, [], ["lost"]) for choices in points(settings)
    ]
    base = point([written_value(settings[0], frozenset(written))], True, [], ["lost"])
    return [(one.values[0].text, one.as_written) for one in sweep(settings, made, base).points]


def test_what_is_written_stands_where_its_value_does() -> None:
    assert found("for=1s,5s,9s", {3.0}) == [("1s", False), ("3s", True), ("5s", False), ("9s", False)]
    assert found("for=1s,5s", {7.0}) == [("1s", False), ("5s", False), ("7s", True)]
    assert found("for=1s,5s", {5.0}, same=5.0) == [("1s", False), ("5s", True)]


def test_where_rules_differ_or_values_do_not_ascend_what_is_written_comes_first() -> None:
    assert found("for=1s,5s", {2.0, 3.0}) == [("as written", True), ("1s", False), ("5s", False)]
    assert found("for=5s,1s", {3.0}) == [("3s", True), ("5s", False), ("1s", False)]
