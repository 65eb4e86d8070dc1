import pytest
from pydantic import ValidationError

from alertdrill.core.faults.base import ExchangeEffect
from alertdrill.core.faults.exchange.slow_answer import SlowAnswer


def test_the_answer_takes_its_time_by_the_dose() -> None:
    fault = SlowAnswer.model_validate({"kind": "slow_answer", "share": 0.2, "over": "600ms"})
    assert fault.effect(0.5, 1.0) == ExchangeEffect(download_s=0.6)
    assert fault.effect(0.1, 0.5) == ExchangeEffect(download_s=0.3)
    assert fault.effect(0.1, 0.0) == ExchangeEffect()


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(ValidationError):
        SlowAnswer.model_validate({"kind": "slow_answer", "share": 0.2, "over": "0s"})
