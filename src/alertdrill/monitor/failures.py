"""The monitor's own failures: counted and logged, never passed on to the exchange that met them."""

import logging
from types import TracebackType

LOGGED_TRACEBACKS = 20

_log = logging.getLogger(__name__)


class Failures:
    """A `with` block in which an exception is counted instead of raised.

    Attributes:
        count: exceptions so far.
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.take(error)
        return True

    def take(self, error: Exception) -> None:
        """Count one exception."""
        self.count += 1
        if self.count <= LOGGED_TRACEBACKS:
            _log.error("the monitor failed to account for something (%d so far)", self.count, exc_info=error)
