from alertdrill.core.faults.base import Cut, ExchangeEffect
from alertdrill.core.faults.exchange.black_hole import BlackHole


def test_nothing_ever_comes_and_nothing_else_happens() -> None:
    fault = BlackHole(kind="black_hole", share=0.2)
    assert fault.effect(0.5, 0.5) == ExchangeEffect(cut=Cut.SILENCE)
