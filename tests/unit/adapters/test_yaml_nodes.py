import math

import pytest

from alertdrill.adapters.yaml_nodes import MAX_NODES, NotYaml, compose, resolve


def plain(text: str) -> object:
    root, duplicates = compose(text)
    assert root is not None
    assert duplicates == []
    return root.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("=", "="),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("0o14", 12),
        ("014", 14),
        ("0xff", 255),
        ("-12", -12),
        ("+1.5e3", 1500.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.INF", -math.inf),
        ("20%", "20%"),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value
    assert type(resolved) is type(value)


def test_not_a_number_is_a_float() -> None:
    assert math.isnan(float(resolve(".NaN") or 0))


def test_endless_numbers_cost_nothing() -> None:
    assert resolve("9" * 100_000) == math.inf
    assert resolve("0x" + "f" * 100_000) == "0x" + "f" * 100_000


def test_quotes_and_the_str_tag_make_text() -> None:
    assert plain('["1", \'~\', !!str 2, "", 3]') == ["1", "~", "2", "", 3]


def test_keys_are_text() -> None:
    assert plain("{1: a, true: b, null: c, on: d}") == {"1": "a", "true": "b", "null": "c", "on": "d"}


def test_aliases_are_written_out() -> None:
    assert plain("a: &a {b: [1]}\nc: *a\nd: [*a]") == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}]}


def test_nodes_know_where_they_start() -> None:
    root, _ = compose("a: 1\nphases:\n  - name: x\n    é: {k: v}\n")
    assert root is not None
    phases = root.child("phases")
    assert phases is not None
    first = phases.child(0)
    assert first is not None
    places = [first.spot, first.keys["é"], first.value["é"].value["k"].spot]
    assert [place[:2] for place in places] == [(3, 5), (4, 5), (4, 12)]


def test_the_first_of_duplicate_keys_counts_and_each_other_is_told() -> None:
    root, duplicates = compose("a: [{x: 1, x: 2}]\nb: 1\na: 3\n")
    assert root is not None
    assert root.plain() == {"a": [{"x": 1}], "b": 1}
    assert [(d.path, d.spot[:2], d.first[:2]) for d in duplicates] == [
        (("a", 0, "x"), (1, 12), (1, 6)),
        (("a",), (3, 1), (1, 1)),
    ]


def test_an_empty_text_has_no_tree() -> None:
    assert compose("") == (None, [])
    assert compose("# only a comment\n") == (None, [])


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\n\tb: 2", 2, 1),
        ("a: [1, 2\nb: 3", 2, 2),
        ("a: !!python/object:os.system x", 1, 4),
        ("a: !!set {x}", 1, 4),
        ("a: !!timestamp 2026-01-01", 1, 4),
        ("a: 1\n---\nb: 2", 2, 1),
        ("a: &a [*a]", 1, 8),
        ("a: *b", 1, 4),
        ("a: &b c\n*b : 1", 2, 1),
        ("? {a: 1}\n: 2", 1, 3),
        ("a: b\x00", 1, 5),
        ("a: " + "[" * 40, 1, 33),
        ("a: " + "{a: " * 4000, 1, 120),
        ('a: "\\ud800"', 1, 7),
    ],
)
def test_what_is_refused_is_refused_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(NotYaml) as caught:
        compose(text, "a.yaml")
    assert caught.value.spot == (line, column, "a.yaml")


def test_an_alias_can_neither_multiply_nor_nest_without_bound() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    tower = "a0: &a0 x\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 60))
    for text in (bomb, tower, "a: &a [1, 2]\nb: [" + "*a, " * MAX_NODES + "]"):
        with pytest.raises(NotYaml):
            compose(text)
