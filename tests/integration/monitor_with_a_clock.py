"""The monitor with a wall clock that is set while it runs: `monitor_with_a_clock.py FILE OPTION…`.

The file holds how many seconds the clock is off.
"""

import runpy
import sys
import time
from pathlib import Path

offset = Path(sys.argv.pop(1))
real = time.time


def shifted() -> float:
    """What a clock shows that somebody has set."""
    return real() + float(offset.read_text() or 0)


time.time = shifted
runpy.run_module("alertdrill.monitor", run_name="__main__", alter_sys=True)
