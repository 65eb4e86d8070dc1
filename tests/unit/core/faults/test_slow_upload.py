import pytest
from pydantic import ValidationError

from alertdrill.core.faults.base import ExchangeEffect
from alertdrill.core.faults.exchange.slow_upload import SlowUpload


def test_the_upload_takes_its_time_by_the_dose() -> None:
    fault = SlowUpload.model_validate({"kind": "slow_upload", "share": 0.2, "over": "600ms"})
    assert fault.effect(0.5, 1.0) == ExchangeEffect(upload_s=0.6)
    assert fault.effect(0.1, 0.5) == ExchangeEffect(upload_s=0.3)
    assert fault.effect(0.1, 0.0) == ExchangeEffect()


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(ValidationError):
        SlowUpload.model_validate({"kind": "slow_upload", "share": 0.2, "over": "0s"})
