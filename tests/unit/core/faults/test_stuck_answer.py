from alertdrill.core.faults.base import ExchangeEffect
from alertdrill.core.faults.exchange.stuck_answer import StuckAnswer


def test_an_earlier_answer_is_given_again_and_nothing_else_happens() -> None:
    assert StuckAnswer(kind="stuck_answer", share=0.2).effect(0.5, 0.5) == ExchangeEffect(replay=True)
