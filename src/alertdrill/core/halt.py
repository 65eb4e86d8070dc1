"""What a fault does to processes. A process that keeps a target imports it, so it imports next to nothing."""

from enum import StrEnum


class Halt(StrEnum):
    """What a process fault does to the target's processes, all of them together."""

    STOP = "stop"  # SIGSTOP; SIGCONT when the phase ends
    KILL = "kill"  # SIGKILL; the target is started again when the phase ends
    RESTART = "restart"  # SIGTERM, what is left after a while SIGKILL; the target is started again at once
