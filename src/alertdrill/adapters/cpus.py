"""How many CPUs this process may use: those it may run on, and no more than its container is granted."""

import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cpus(quota: Path = QUOTA) -> int:
    """At least 1. `quota` is where version 2 of Linux's control groups says how much time of CPUs there is."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        granted, period = quota.read_text().split()
        return max(1, min(allowed, int(granted) // int(period)))
    except (OSError, ValueError):  # none, or "max"
        return allowed
