import logging

import pytest

from alertdrill.monitor.failures import LOGGED_TRACEBACKS, Failures


def test_an_exception_is_counted_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures()
    with caplog.at_level(logging.ERROR):
        for _ in range(LOGGED_TRACEBACKS + 5):
            with failures:
                raise RuntimeError("statistics are broken")
    assert failures.count == LOGGED_TRACEBACKS + 5
    assert len(caplog.records) == LOGGED_TRACEBACKS


def test_an_interrupt_is_not_a_failure_of_ours() -> None:
    failures = Failures()
    with pytest.raises(KeyboardInterrupt), failures:
        raise KeyboardInterrupt
    assert failures.count == 0
