import pytest
from pydantic import ValidationError

from alertdrill.core.faults.base import ExchangeEffect
from alertdrill.core.faults.exchange.truncated_answer import TruncatedAnswer


def test_half_of_the_answer_is_kept_unless_told_otherwise() -> None:
    assert TruncatedAnswer(kind="truncated_answer", share=0.2).effect(0.5, 1.0) == ExchangeEffect(kept=0.5)
    none = TruncatedAnswer.model_validate({"kind": "truncated_answer", "share": 0.2, "kept": "0%"})
    assert none.effect(0.5, 1.0) == ExchangeEffect(kept=0.0)


def test_no_more_than_all_can_be_kept() -> None:
    with pytest.raises(ValidationError):
        TruncatedAnswer.model_validate({"kind": "truncated_answer", "share": 0.2, "kept": "110%"})
