"""Tests of reading some of the answers."""

import pytest

from alertdrill.adapters.load.answers import is_chosen, is_readable, why_unreadable
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.oip_v2 import OipV2


def test_the_answers_to_every_fiftieth_request_are_read() -> None:
    assert [index for index in range(120) if is_chosen(index)] == [0, 50, 100]


@pytest.mark.parametrize(("status", "size"), [(503, 30), (404, 30), (302, 0), (0, 0), (200, 1 << 20)])
def test_errors_and_very_long_answers_are_not_read(status: int, size: int) -> None:
    assert not is_readable(status, size)


@pytest.mark.parametrize("body", [b'{"label": null}', b'{"prediction": 1, "score": 0.5}'])
def test_an_object_can_be_a_prediction(body: bytes) -> None:
    assert why_unreadable(Json(), body) is None


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        (b"<html><h1>Please log in</h1>", "'<html><h1>Please log in</h1>': "),
        (b"[1, 2]", "'[1, 2]': got list, expected an object"),
        (b"\xff\xfe{}", "'\N{REPLACEMENT CHARACTER}"),
        (b'{"score": NaN}', "'{\"score\": NaN}': "),
        (b"\x1b[31m\n\n red", "'[31m red': "),
        (b"", "nothing"),
    ],
)
def test_anything_else_is_shown_as_it_begins(body: bytes, begins: str) -> None:
    why = why_unreadable(Json(), body)
    assert why is not None
    assert why.startswith(begins)


def test_what_is_shown_of_a_long_answer_is_short_and_one_line() -> None:
    why = why_unreadable(Json(), b"<p>\n" * 10_000)
    assert why is not None
    assert len(why) <= 200
    assert "\n" not in why


def test_an_error_inside_an_answer_is_shown_as_one() -> None:
    why = why_unreadable(OipV2(), b'{"error": "no such model"}')
    assert why is not None
    assert why.endswith("an error: no such model")


def test_a_secret_that_an_answer_repeats_is_not_told() -> None:
    body = b'{"error": "no such key: Bearer s3cret-token, s3cret-token"}'
    why = why_unreadable(Json(), body, ["Bearer s3cret-token"])
    assert why is not None
    assert "no such key: ***, ***" in why
    assert "s3cret" not in why


def test_an_error_that_is_nested_deeply_is_one_all_the_same() -> None:
    why = why_unreadable(Json(), b'{"error": ' + b"[" * 900 + b"]" * 900 + b"}")
    assert why is not None
    assert why.endswith("an error: JSON that is nested deeply")
