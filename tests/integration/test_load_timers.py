"""The timers of the load on a real hub."""

from collections.abc import Callable

import pytest
from gevent.event import Event

from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.timers import HubTimer, Timer, TimerFd, make_timer

TIMERS = [TimerFd, HubTimer, make_timer]
MakeTimer = Callable[[Callable[[], None]], Timer]


@pytest.mark.parametrize("make", TIMERS)
def test_a_timer_fires_at_its_time_and_can_be_set_again_while_it_fires(make: MakeTimer) -> None:
    fired: list[float] = []
    done = Event()

    def on_time() -> None:
        fired.append(monotonic_s())
        if len(fired) < 3:
            timer.set(begins + 0.02 * (len(fired) + 1))
        else:
            done.set()

    timer = make(on_time)
    begins = monotonic_s()
    timer.set(begins + 0.02)
    assert done.wait(5.0)
    timer.close()
    for number, at in enumerate(fired):
        assert begins + 0.02 * (number + 1) - 0.001 <= at < begins + 0.02 * (number + 1) + 0.2


@pytest.mark.parametrize("make", TIMERS)
def test_setting_a_timer_again_replaces_its_time(make: MakeTimer) -> None:
    fired: list[float] = []
    timer = make(lambda: fired.append(monotonic_s()))
    begins = monotonic_s()
    timer.set(begins + 0.01)
    timer.set(begins + 0.05)
    Event().wait(0.1)
    timer.close()
    assert len(fired) == 1
    assert fired[0] >= begins + 0.045


@pytest.mark.parametrize("make", TIMERS)
def test_a_time_that_has_passed_fires_at_once(make: MakeTimer) -> None:
    done = Event()
    timer = make(done.set)
    timer.set(monotonic_s() - 5.0)
    assert done.wait(1.0)
    timer.close()


@pytest.mark.parametrize("make", TIMERS)
def test_a_closed_timer_stays_silent(make: MakeTimer) -> None:
    fired: list[int] = []
    timer = make(lambda: fired.append(1))
    timer.set(monotonic_s() + 0.01)
    timer.close()
    Event().wait(0.03)
    assert not fired


def test_a_timerfd_that_wakes_early_waits_for_its_time() -> None:
    late: list[float] = []
    done = Event()

    def on_time() -> None:
        nonlocal due
        late.append(monotonic_s() - due)
        due += 0.001
        if len(late) < 400:
            timer.set(due)
        else:
            done.set()

    timer = TimerFd(on_time)
    due = monotonic_s() + 0.001
    timer.set(due)
    assert done.wait(10.0)
    timer.close()
    assert min(late) >= 0.0
