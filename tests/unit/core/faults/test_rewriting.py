import numpy as np
from tests.unit.core.faults.contexts import numbers, texts

from alertdrill.core.faults.shared.rewriting import with_json, with_texts
from alertdrill.protocols.json_rows import cell_texts
from alertdrill.protocols.rows import Cell
from alertdrill.protocols.schema import FeatureKind

EVERY = np.ones(3, dtype=bool)


def reversed_text(text: str) -> str:
    return text[::-1]


def test_only_the_marked_texts_are_rewritten_and_the_input_stays():
    column = texts("abc", None, "abc")
    rewritten = with_texts(column, np.array([True, True, False]), reversed_text)
    assert cell_texts(rewritten, FeatureKind.CATEGORY) == [b'"cba"', b"null", b'"abc"']
    assert column.values.tolist() == ["abc", "", "abc"]


def test_rewritten_texts_are_whole_python_strings():
    rewritten = with_texts(texts("a", "longer", "\0b"), EVERY, reversed_text)
    assert rewritten.values.tolist() == ["a", "regnol", "b\0"]
    assert {type(value) for value in rewritten.values} == {str}


def test_each_distinct_text_is_rewritten_once():
    seen: list[str] = []
    with_texts(texts("a", "a", "b"), EVERY, lambda text: seen.append(text) or text)
    assert sorted(seen) == ["a", "b"]


def test_what_stands_behind_a_null_is_not_rewritten():
    seen: list[str] = []
    with_texts(texts("a", None, None), EVERY, lambda text: seen.append(text) or text)
    assert seen == ["a"]


def test_what_is_no_value_is_left_alone():
    column = texts("a", "b", "c").with_cells(np.array([True, False, False]), Cell.MISSING)
    column = column.with_raw(np.array([False, True, False]), b"7")
    kind = FeatureKind.CATEGORY
    assert cell_texts(with_texts(column, EVERY, str.upper), kind) == [b"", b"7", b'"C"']
    assert cell_texts(with_json(column, EVERY, kind, lambda text: b"[]"), kind) == [b"", b"7", b"[]"]


def test_json_texts_are_those_that_the_encoder_writes():
    column = numbers(12.0, 1e-7, None)
    rewritten = with_json(column, EVERY, FeatureKind.NUMBER, lambda text: b"<%b>" % text)
    assert cell_texts(rewritten, FeatureKind.NUMBER) == [b"<12.0>", b"<1e-7>", b"null"]
    assert cell_texts(column, FeatureKind.NUMBER) == [b"12.0", b"1e-7", b"null"]


def test_a_number_that_json_cannot_write_stays_null():
    rewritten = with_json(numbers(np.inf, 1.5, -np.inf), EVERY, FeatureKind.NUMBER, lambda text: b"<%b>" % text)
    assert cell_texts(rewritten, FeatureKind.NUMBER) == [b"null", b"<1.5>", b"null"]


def test_nothing_marked_is_nothing_rewritten():
    none = np.zeros(3, dtype=bool)
    column = numbers(1.0, 2.0, 3.0)
    assert with_json(column, none, FeatureKind.NUMBER, lambda text: b"x") is column
    assert with_texts(texts("a", "b", "c"), none, reversed_text).values.tolist() == ["a", "b", "c"]
