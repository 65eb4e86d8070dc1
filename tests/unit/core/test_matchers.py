import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertdrill.core.errors import BadValue
from alertdrill.core.matchers import Matcher, Operator, exactly, literal, may_match, parse_matcher


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ('feature=~"amount.*"', Matcher("feature", "=~", "amount.*")),
        ("severity = P1", Matcher("severity", "=", "P1")),
        ('team!="a b"', Matcher("team", "!=", "a b")),
        (' zone !~ "x|y" ', Matcher("zone", "!~", "x|y")),
        ('feature=""', Matcher("feature", "=", "")),
        ("feature!=", Matcher("feature", "!=", "")),
        (r'path=~"a\\.b"', Matcher("path", "=~", r"a\.b")),
    ],
)
def test_a_matcher_is_read_as_alertmanager_reads_it(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher


@pytest.mark.parametrize(
    ("op", "value", "passes"),
    [
        ("=", "amount", True),
        ("=", "amoun", False),
        ("!=", "hour", True),
        ("=~", "amou", False),
        ("=~", "amou.*", True),
        ("=~", "mount|amount", True),
        ("!~", "amou", True),
        ("!~", "a.*", False),
    ],
)
def test_patterns_are_anchored_at_both_ends(op: Operator, value: str, passes: bool) -> None:
    assert Matcher("feature", op, value).matches({"feature": "amount"}) is passes


def test_a_label_that_an_alert_lacks_is_the_empty_text() -> None:
    assert Matcher("feature", "=", "").matches({})
    assert Matcher("feature", "!~", ".+").matches({})
    assert not Matcher("feature", "=~", ".+").matches({})


def test_classes_of_characters_are_ascii_as_in_re2() -> None:
    assert not Matcher("x", "=~", r"\d").matches({"x": "٣"})


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ('feature=="amount"', "write 'feature=\"amount\"'"),
        ('feature~"a.*"', "write 'feature=~\"a.*\"'"),
        ("feature: amount", "write 'feature=\"amount\"'"),
        ({"feature": "amount"}, "write 'feature=\"amount\"'"),
        ("feature='amount'", "write 'feature=\"amount\"'"),
        (r'feature=~"a\.b"', r"write 'feature=~" + '"a\\\\.b"'),
        ("amount", "write 'feature=~\"amount.*\"'"),
        (5, "write 'feature=~\"amount.*\"'"),
    ],
)
def test_what_is_no_matcher_gets_the_nearest_one(text: object, fix: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_matcher(text)
    assert caught.value.fix.startswith(fix)


@pytest.mark.parametrize(
    "pattern", ["(", "a++", "(?=x)y", r"(a)\1", r"\pL", "[[:alpha:]]", "a{,3}", "x(?i)y", "[a&&b]", "(?<=x)y", "*"]
)
def test_patterns_that_prometheus_and_python_read_differently_are_refused(pattern: str) -> None:
    with pytest.raises(BadValue, match="RE2"):
        parse_matcher(Matcher("x", "=~", pattern).text())


def test_only_lists_of_plain_texts_have_alternatives() -> None:
    assert Matcher("country", "=~", r"RS|CZ|a\.b").alternatives() == ("RS", "CZ", "a.b")
    assert Matcher("country", "=~", "RS").alternatives() == ("RS",)
    for op, value in (
        ("=~", "R.|CZ"),
        ("=~", "(RS|CZ)"),
        ("=~", "RS|"),
        ("=", "RS|CZ"),
        ("!~", "RS|CZ"),
        ("=~", r"\d"),
    ):
        assert Matcher("country", op, value).alternatives() == ()  # type: ignore[arg-type]


def test_what_is_not_known_contradicts_nothing() -> None:
    wanted = (*exactly({"severity": "P1"}), Matcher("feature", "=~", "a.*"))
    assert may_match(wanted, {"severity": "P1"})
    assert not may_match(wanted, {"feature": "hour"})


@settings(deadline=None)
@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), st.sampled_from(["=", "!="]), st.text(max_size=20))
def test_a_matcher_survives_its_text(label: str, op: Operator, value: str) -> None:
    matcher = Matcher(label, op, value)
    assert parse_matcher(matcher.text()) == matcher


def test_a_matcher_is_written_as_promql_and_alertmanager_read_it() -> None:
    assert Matcher("a", "=", 'b\n"c\\\t').text() == 'a="b\\n\\"c\\\\\t"'


def test_a_text_as_a_pattern_has_only_the_signs_of_re2_escaped() -> None:
    assert literal("two words-(a.b)") == r"two words-\(a\.b\)"
