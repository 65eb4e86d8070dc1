import pytest
from pydantic import ValidationError

from alertdrill.core.faults.exchange.rate_limited import RateLimited


@pytest.mark.parametrize(("written", "seconds"), [("1s", "1"), ("1100ms", "2"), ("1ms", "1"), ("2m", "120")])
def test_the_answer_is_429_and_says_in_whole_seconds_when_to_come_again(written: str, seconds: str) -> None:
    fault = RateLimited.model_validate({"kind": "rate_limited", "share": 0.2, "retry_after": written})
    answer = fault.effect(0.5, 1.0).answer
    assert answer is not None
    assert answer.status == 429
    assert dict(answer.headers)["Retry-After"] == seconds


def test_nobody_can_be_told_to_come_again_at_once() -> None:
    with pytest.raises(ValidationError):
        RateLimited.model_validate({"kind": "rate_limited", "share": 0.2, "retry_after": "0s"})
