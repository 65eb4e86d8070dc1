from alertdrill.core.faults.base import Cut, ExchangeEffect
from alertdrill.core.faults.exchange.connection_reset import ConnectionReset


def test_the_connection_is_reset_and_nothing_else_happens() -> None:
    fault = ConnectionReset(kind="connection_reset", share=0.2)
    assert fault.effect(0.5, 0.5) == ExchangeEffect(cut=Cut.RESET)
