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
    """A timerfd that the hub watches: tens of microseconds late, where libev's timers wait in whole milliseconds.

    A copy of this process (`os.fork`) has the very same timer in its hands, and leaves it to the original.
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
        self._watcher = get_hub().loop.io(self._fd, READ)
        self._watcher.start(self._fire)

    def set(self, at: float) -> None:
        """Call back at `at`, in seconds of `monotonic_s`; at once if that has passed."""
        if os.getpid() != self._pid:
            return
        nanoseconds = max(1, int(at * 1e9))
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
