import json

import pytest
from pydantic import ValidationError

from alertdrill.core.faults.base import Answer, ExchangeEffect
from alertdrill.core.faults.exchange.http_error import HttpError


def error(**fields: object) -> HttpError:
    return HttpError.model_validate({"kind": "http_error", "share": 0.2, **fields})


def test_the_answer_is_503_with_a_json_body_unless_told_otherwise() -> None:
    effect = error().effect(0.1, 1.0)
    assert effect.answer is not None
    assert effect == ExchangeEffect(answer=effect.answer)
    assert (effect.answer.status, effect.answer.headers) == (503, (("Content-Type", "application/json"),))
    assert json.loads(effect.answer.body) == {"error": "unavailable"}


def test_status_body_and_retry_after_are_as_written() -> None:
    headers = (("Content-Type", "application/json"), ("Retry-After", "2"))
    effect = error(status=599, body="größer", retry_after="1200ms").effect(0.9, 1.0)
    assert effect.answer == Answer(599, "größer".encode(), headers)


@pytest.mark.parametrize("status", [399, 600, "503", 503.0, True])
def test_only_errors_can_be_answered(status: object) -> None:
    with pytest.raises(ValidationError):
        error(status=status)


def test_an_error_tells_nobody_that_it_is_a_drill() -> None:
    answer = error().effect(0.1, 1.0).answer
    assert answer is not None
    assert b"drill" not in answer.body + repr(answer.headers).encode()
