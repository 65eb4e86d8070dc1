import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.faults.bodies import assert_every_body_changes, edited

from alertdrill.core.faults.body.malformed_json import MalformedJson

FORMS = ("truncated", "trailing_comma", "unbalanced")
BODY = b'{"amount":1.5,"country":"DE"}'


def fault(form: str = "truncated") -> MalformedJson:
    return MalformedJson.model_validate({"kind": "malformed_json", "form": form, "share": 0.1})


@pytest.mark.parametrize("form", FORMS)
def test_every_body_changes(form: str):
    assert_every_body_changes(fault(form))


@settings(max_examples=50)
@given(
    row=st.dictionaries(st.text(max_size=5), st.none() | st.integers(0, 99) | st.text(max_size=5), max_size=4),
    draw=st.floats(0, 1, exclude_max=True),
    form=st.sampled_from(FORMS),
)
def test_no_parser_takes_what_is_left(row: dict[str, object], draw: float, form: str):
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(edited(fault(form), orjson.dumps(row), draw))


def test_the_draw_says_where_a_body_is_cut_from_its_brace_to_all_but_its_last_byte():
    assert edited(fault(), BODY, 0.0) == b"{"
    assert edited(fault(), BODY, 0.5) == BODY[:15]
    assert edited(fault(), BODY, 1 - 2**-53) == BODY[:-1]
    assert edited(fault(), b"{}", 1 - 2**-53) == b"{"


def test_the_last_brace_is_missing_or_has_a_comma_before_it():
    assert edited(fault("unbalanced"), BODY) == BODY[:-1]
    assert edited(fault("trailing_comma"), BODY) == BODY[:-1] + b",}"
    assert edited(fault("unbalanced"), b"{}") == b"{"
    assert edited(fault("trailing_comma"), b"{}") == b"{,}"


def test_a_body_that_an_earlier_fault_emptied_becomes_broken_json_too():
    assert edited(fault("unbalanced"), b"") == b"{"
    assert edited(fault("trailing_comma"), b"") == b"{,}"
