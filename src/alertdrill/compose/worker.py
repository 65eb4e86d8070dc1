"""One worker of a load whose drill runs elsewhere: the process that sends, on the lifeline of this one."""

from collections.abc import Callable

from alertdrill.adapters import processes
from alertdrill.adapters.load.launch import Address, worker_argv
from alertdrill.adapters.processes import Event, ProcessFailed
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.lifeline import EXIT_LEASE_LOST

LONGEST_S = 7 * 24 * 3600.0


def join_drill(master: Address, wait_s: float, say: Callable[[str], None]) -> None:
    """Send a share of a load until its drill is over; nothing is left running. Call it from the main thread.

    Args:
        master: where the drill listens for workers.
        wait_s: how long to wait until it does.
        say: told what happens.

    Raises:
        ProcessFailed: nobody listens there, the worker was refused, or the drill went silent.
        Interrupted: the user stopped it.
    """
    run_until_signalled(_join(master, wait_s, say))


async def _join(master: Address, wait_s: float, say: Callable[[str], None]) -> None:
    failed: list[str] = []

    def take(event: Event) -> None:
        match event["event"]:
            case "joined":
                say(f"worker {event['worker']} of {event['of']}: joined the drill at {master}")
            case "ready":
                say("ready to send")
            case "failed":
                failed.append(event["why"])

    say(f"looking for a drill at {master}")
    with Scratch("alertdrill-worker-") as scratch:
        child = await processes.start("worker", worker_argv(), scratch.path / "worker.log", on_event=take)
        try:
            child.send({"do": "join", "host": master.host, "port": master.port, "wait_s": wait_s})
            await child.ended(LONGEST_S)
            if child.exit_code != 0:
                raise ProcessFailed(_why(child, master, failed))
        finally:
            await child.stop()
    say("the drill is over")


def _why(child: processes.Child, master: Address, failed: list[str]) -> str:
    if failed:
        return f"this worker ended: {failed[0]}"
    if child.exit_code == EXIT_LEASE_LOST:
        return f"this worker ended: the drill at {master} went silent, or its own lease ran out"
    said = "".join(f"\n    {line}" for line in child.log_tail().splitlines())
    return f"this worker ended with exit code {child.exit_code}{said}"
