"""The process that keeps a target: starts its command, halts its processes as faults say, and ends all of them.

Run as `python -m alertdrill.lifeline --guard -m alertdrill.adapters.keeper --port N --ready /health --log FILE --
COMMAND…`: the guards in front of it end the whole tree with it, however it ends.

Events: `ready` (port), once · `halted` (injection, k, pids, from_at, until_at, why), as in the journal · `stopped`
(answers: whether something answers at the port although all processes are gone).
Commands: `halt` (injection, k, how, at) · `restore` (at): stopped processes go on, killed ones are started again, and
`restored` follows once `--ready` answers · `stop`. Instants are wall clock in seconds.
A command that ends by itself ends the keeper, with exit code 1 and its last lines on standard error.
Variables for the command alone stand in one of ours, as JSON: a PYTHONPATH of the target's would be the keeper's too.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from alertdrill.adapters.keeper import TARGET_ENVIRONMENT
from alertdrill.adapters.keeper.keeper import Keeper, Lost
from alertdrill.adapters.keeper.tree import Tree
from alertdrill.lifeline import LINUX, Command, flush, on_command
from alertdrill.process_tree import adopt_orphans

SHOWN_LINES, SHOWN_BYTES = 12, 16_384


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="keeper", description="Keep a target.")
    parser.add_argument("--port", type=int, required=True, help="where the target serves")
    parser.add_argument("--ready", required=True, help="path that answers 2xx once it does")
    parser.add_argument("--ready-timeout", type=float, default=60.0, help="seconds that this may take")
    parser.add_argument("--log", type=Path, required=True, help="file that its output is added to")
    parser.add_argument("--cwd", type=Path, default=Path(), help="folder that it runs in")
    parser.add_argument("command", nargs="+", help="program and arguments")
    return parser.parse_args(argv)


def _last_lines(log: Path) -> list[str]:
    """The end of what the target said, however much that was."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - SHOWN_BYTES, 0))
        return file.read(SHOWN_BYTES).decode(errors="replace").splitlines()[-SHOWN_LINES:]


async def _keep(keeper: Keeper) -> None:
    loop = asyncio.get_running_loop()

    def hop(command: Command) -> None:
        loop.call_soon_threadsafe(keeper.do, command)

    on_command(hop)
    await keeper.run()


def main(argv: Sequence[str]) -> int:
    """Keep a target until told to stop it. Returns the exit code: 0, or 1 if it was lost."""
    options = _options(argv)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is ignored here, the command would ignore too
    if LINUX:
        adopt_orphans()
    further = json.loads(os.environ.pop(TARGET_ENVIRONMENT, "{}"))
    tree = Tree(options.command, options.cwd, options.log, {**os.environ, **further})
    try:
        asyncio.run(_keep(Keeper(tree, options.port, options.ready, options.ready_timeout)))
    except Lost as lost:
        print("\n".join([*_last_lines(options.log), f"{options.command[0]} {lost}"]), file=sys.stderr, flush=True)
        return 1
    finally:
        flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
