"""Restart the target."""

from typing import Literal

from alertdrill.core.faults.base import ProcessFault
from alertdrill.core.halt import Halt


class Restart(ProcessFault):
    """Restart the target.

    What it does:
        Sends SIGTERM to the target that alertdrill started (bundled, or `target.command`) when the phase begins, and
        SIGKILL to what still runs of it after 10 s; then runs its command again, at once. It counts as begun once a
        connection is refused or the first process is reaped, and as over with the last look at which nothing
        answered. Linux only.
    Why it matters:
        A deployment, a rotated certificate, an operator. What a restart costs is the time until `ready` answers, with
        models that are loaded and caches that are cold; whether anybody should be woken by it is for the rules to say.
    Should trigger:
        Often nothing: a rule with a longer `for` than the model needs to start is right to stay silent, which
        `must_not_fire` can hold it to. A rule on `up`, or an error rule of what stands in front, where it takes longer.
    Example:
        - {kind: restart}
    References:
        Beyer, Jones, Petoff, Murphy 2016, Site Reliability Engineering, chapter 8: release engineering.
    """

    kind: Literal["restart"]

    def halt(self) -> Halt:
        """Ended and started again."""
        return Halt.RESTART
