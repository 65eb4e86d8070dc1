"""Kill the target's processes."""

from typing import Literal

from alertdrill.core.faults.base import ProcessFault
from alertdrill.core.halt import Halt


class Kill(ProcessFault):
    """Kill the target's processes.

    What it does:
        Sends SIGKILL to every process of a target that alertdrill started (bundled, or `target.command`) when the
        phase begins. It counts as begun once the first of them is reaped. Nothing is started before the phase ends;
        then the command is run again, and the drill goes on once `ready` answers. It is over with the last look at
        which nothing answered. Linux only.
    Why it matters:
        Out of memory, a node that is lost, a crash in native code. Rules that divide counters of the server fall
        silent with it: its series vanish, and `rate(…) < x` of nothing is nothing.
    Should trigger:
        A rule on `up` of a job that the process itself serves, or one with `absent()`; an error rule of what stands
        in front of it (bundled: ErrorRateHigh, as the monitor answers 502).
    Example:
        - {kind: kill}
    References:
        signal(7), Linux man-pages: SIGKILL. Basiri et al. 2016, Chaos Engineering, IEEE Software 33(3).
    """

    kind: Literal["kill"]

    def halt(self) -> Halt:
        """Dead for the length of the phase."""
        return Halt.KILL
