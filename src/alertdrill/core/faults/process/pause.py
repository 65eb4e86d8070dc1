"""Freeze the target's processes."""

from typing import Literal

from alertdrill.core.faults.base import ProcessFault
from alertdrill.core.halt import Halt


class Pause(ProcessFault):
    """Freeze the target's processes.

    What it does:
        Sends SIGSTOP to every process of a target that alertdrill started (bundled, or `target.command`) when the
        phase begins, and SIGCONT when it ends. It counts as begun once the kernel shows them as stopped and nothing
        answers any more, and as over with the last look at which all of them were. Connections are still accepted,
        by the kernel, and stay silent; what waits is answered afterwards, if anybody still listens. Linux only.
    Why it matters:
        A virtual machine that is moved, a long pause of a garbage collector, a swap storm, a cgroup out of quota. The
        port is open, so checks that only connect stay green.
    Should trigger:
        A rule on `up` of a job that the process itself serves; a latency or error rule of what stands in front of it,
        once callers give up (bundled: PredictionLatencyHigh after 10 s). Rules on the server's own latency fire by
        luck: what waits for a frozen server is not counted by it.
    Example:
        - {kind: pause}
    References:
        signal(7), Linux man-pages: SIGSTOP and SIGCONT. Basiri et al. 2016, Chaos Engineering, IEEE Software 33(3).
    """

    kind: Literal["pause"]

    def halt(self) -> Halt:
        """Stopped for the length of the phase."""
        return Halt.STOP
