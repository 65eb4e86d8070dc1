"""How late the two timers of the load are: `python timers.py SECONDS` prints the errors of each in seconds, as JSON."""

import gevent.monkey

gevent.monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402

from gevent.event import Event  # noqa: E402

from alertdrill.adapters.load.instants import monotonic_s  # noqa: E402
from alertdrill.adapters.load.timers import HubTimer, Timer, TimerFd  # noqa: E402

STEP_S = 0.0047  # never a whole number of milliseconds for long


def errors_s(make: Callable[[Callable[[], None]], Timer], seconds: float) -> list[float]:
    """How late each of many calls came."""
    late: list[float] = []
    over = Event()
    due = monotonic_s() + STEP_S
    end = due + seconds

    def called() -> None:
        nonlocal due
        late.append(monotonic_s() - due)
        due += STEP_S
        if due < end:
            timer.set(due)
        else:
            over.set()

    timer = make(called)
    timer.set(due)
    over.wait()
    timer.close()
    return late


if __name__ == "__main__":
    print(json.dumps({make.__name__: errors_s(make, float(sys.argv[1])) for make in (TimerFd, HubTimer)}))
