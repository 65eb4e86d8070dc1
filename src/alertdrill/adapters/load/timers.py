"""One-shot timers of gevent's hub: a timerfd on Linux, libev's own elsewhere."""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Protocol

from gevent.hub import get_hub

from alertdrill.adapters.load.instants import monotonic_s

READ = 1
CLOCK_MONOTONIC = 1
TFD_NONBLOCK = 0o4000
TFD_TIMER_ABSTIME = 1
MOST_LEAD_S = 200e-6  # what a core needs to wake from its sleep; later than that others had it
LEAD_STEP_S = 2e-6


class Timer(Protocol):
    """Calls back in the hub at an instant; setting it again replaces the instant."""

    def set(self, at: float) -> None:
        """Call back at `at`, in seconds of `monotonic_s`; at once if that has passed."""

    def close(self) -> None:
        """Never call back again."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class TimerFd:
    """A timerfd that the hub watches; libev's own timers wait in whole milliseconds.

    It is set for a little earlier than it must call back, by what three of four wakings are late here, and what is
    left then is waited for awake. A copy of this process (`os.fork`) has the very same timer in its hands, and leaves
    it to the original.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._settime.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Itimerspec), ctypes.c_void_p]
        self._fd = libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec()
        self._callback, self._pid = callback, os.getpid()
        self._at = self._lead_s = 0.0
        self._watcher = get_hub().loop.io(self._fd, READ)
        self._watcher.start(self._fire)

    def set(self, at: float) -> None:
        """Call back at `at`, in seconds of `monotonic_s`; at once if that has passed."""
        if os.getpid() != self._pid:
            return
        self._at = at
        nanoseconds = max(1, int((at - self._lead_s) * 1e9))
        self._spec.value.seconds, self._spec.value.nanoseconds = divmod(nanoseconds, 1_000_000_000)
        self._settime(self._fd, TFD_TIMER_ABSTIME, self._spec, None)

    def close(self) -> None:
        """Never call back again."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._fd)

    def _fire(self) -> None:
        if os.getpid() != self._pid:
            self._watcher.stop()
            return
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # set anew between the expiry and this call
            return
        at, now = self._at, monotonic_s()
        if now < at:
            self._lead_s = max(0.0, self._lead_s - LEAD_STEP_S)
            while monotonic_s() < at:
                pass
        else:
            self._lead_s = min(self._lead_s + 3 * LEAD_STEP_S, MOST_LEAD_S)
        self._callback()


class HubTimer:
    """The hub's own timer, which gevent.sleep uses too: portable, about 0.6 ms late in the median."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = get_hub().loop
        self._timer = self._loop.timer(0)

    def set(self, at: float) -> None:
        """Call back at `at`, in seconds of `monotonic_s`; at once if that has passed."""
        self._timer.stop()
        self._timer.close()
        self._timer = self._loop.timer(max(0.0, at - monotonic_s()))
        self._timer.start(self._callback, update=True)

    def close(self) -> None:
        """Never call back again."""
        self._timer.stop()
        self._timer.close()


def make_timer(callback: Callable[[], None]) -> Timer:
    """The most punctual timer that this platform has."""
    return TimerFd(callback) if sys.platform == "linux" else HubTimer(callback)
