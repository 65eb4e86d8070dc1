import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.core.matchers import Matcher
from alertdrill.core.routing import Route, Routing, parse_matchers


def route(receiver: str, *matchers: str, goes_on: bool = False, wait_s: float = 0.0, routes: tuple[Route, ...] = ()):
    found = tuple(one for line in matchers for one in parse_matchers(line))
    return Route(receiver=receiver, matchers=found, goes_on=goes_on, group_wait_s=wait_s, routes=routes)


def routing(*routes: Route) -> Routing:
    return Routing(route=route("all", routes=routes, wait_s=30.0), receivers={})


@pytest.mark.parametrize(
    ("line", "labels", "expected"),
    [
        ('severity="P1"', {"severity": "P1"}, True),
        ("severity = P1", {"severity": "P1"}, True),
        ("severity!=P1", {}, True),
        ('severity=~"P0|P1"', {"severity": "P1"}, True),
        ('severity=~"P"', {"severity": "P1"}, False),
        ('severity!~"P.*"', {"severity": "P1"}, False),
        ('team=""', {}, True),
        ('{a="1",b!="2"}', {"a": "1", "b": "3"}, True),
        ('{a="1",b!="2"}', {"a": "1", "b": "2"}, False),
        (r'a="say \"hi\", then \\go"', {"a": 'say "hi", then \\go'}, True),
    ],
)
def test_matchers_are_read_and_compare_as_alertmanagers_do(line, labels, expected):
    assert all(one.matches(labels) for one in parse_matchers(line)) is expected


@pytest.mark.parametrize("line", ["a~b", "=b", 'a=~"("', "1a=b", "a=~[[:alpha:]]+"])
def test_what_is_no_matcher_is_an_error(line):
    with pytest.raises(ValueError, match="no "):
        parse_matchers(line)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20))
def test_a_matcher_reads_back_as_it_is_shown(value):
    one = Matcher("a", "=", value)
    assert parse_matchers(one.text()) == (one,)


def test_the_first_route_that_matches_takes_an_alert():
    tree = routing(route("a", "x=1"), route("b", "x=1"), route("c", "x=2"))
    assert tree.reached({"x": "1"}) == ("a",)
    assert tree.reached({"x": "2"}) == ("c",)
    assert tree.reached({}) == ("all",)


def test_a_route_that_goes_on_shares_an_alert_with_those_after_it():
    tree = routing(route("a", "x=1", goes_on=True), route("b", "x=1"), route("c", "x=1"))
    assert tree.reached({"x": "1"}) == ("a", "b")


def test_below_a_route_the_deepest_match_counts_and_a_parent_that_goes_on_is_looked_at_again():
    deep = route("parent", "x=1", routes=(route("child", "y=2"),))
    tree = routing(deep, route("b", "x=1"))
    assert tree.reached({"x": "1", "y": "2"}) == ("child",)
    assert tree.reached({"x": "1"}) == ("parent",)
    assert tree.route.named() == {"all", "parent", "child", "b"}


def test_group_wait_is_that_of_the_leaves_of_a_receiver():
    tree = routing(route("a", "x=1", goes_on=True, wait_s=5.0), route("b", "x=1", wait_s=1.0))
    assert [tree.group_wait_s({"x": "1"}, one) for one in ("a", "b", None, "c")] == [5.0, 1.0, 1.0, 0.0]
    assert tree.group_wait_s({}, "all") == 30.0
