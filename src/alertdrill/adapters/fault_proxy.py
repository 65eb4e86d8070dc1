"""The process that puts a plan's exchange faults on the traffic at one place of the wire.

Run as `python -m alertdrill.lifeline -m alertdrill.adapters.fault_proxy --plan plan.json --place model --upstream URL`.

Events: `ready` (port) · `touched` (injection, k, i, and in step with i: effect_at, released, ended, code) · `seen` (k,
requests: all of the drill's requests since the last report, so that a proxy that is bypassed is noticed) · `cleared` ·
`flushed`. Instants are wall clock in seconds. effect_at is null if the effect never became real, as when the server
failed before there was an answer to alter; released is null if the request never went on, ended if the client got no
whole answer; code is 0 if it got no status. An exchange is reported once it has ended.
Commands: `clear` (no faults from here on; what is held goes on, what is slow is sent, what is silent is closed) ·
`flush` (report at once) · `stop` (SIGTERM does the same).
"""

import argparse
import asyncio
import gc
import logging
import signal
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from alertdrill import tls
from alertdrill.adapters.exchange_faults import ExchangeFaults
from alertdrill.core.faults.base import Place
from alertdrill.core.plan import Plan
from alertdrill.lifeline import Command, emit, flush, on_command
from alertdrill.relay.loop import run
from alertdrill.relay.server import Relay, serve, upstream_address

logger = logging.getLogger(__name__)

REPORT_S = 0.25
GRACE_S = 0.5
EXIT_BAD_INPUT = 2
PLACES = (Place.EDGE, Place.MODEL, Place.DEPENDENCY)


class FaultProxy:
    """A relay with a plan's faults, under the commands of a controller."""

    def __init__(self, relay: Relay, faults: ExchangeFaults) -> None:
        self._relay = relay
        self._faults = faults
        self._stopped = asyncio.Event()

    def do(self, command: Command) -> None:
        """Carry out one command."""
        match command.get("do"):
            case "clear":
                self._clear()
                emit({"event": "cleared"})
            case "flush":
                self._report()
                emit({"event": "flushed"})
            case "stop":
                self._stopped.set()
            case unknown:
                logger.warning("got the command %r, expected clear, flush or stop", unknown)

    async def until_stopped(self) -> None:
        """Report at intervals until told to stop; then let everything go, report the rest and end."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stopped.set)

        def hop(command: Command) -> None:
            loop.call_soon_threadsafe(self.do, command)

        on_command(hop)
        while not self._stopped.is_set():
            self._report()
            try:
                await asyncio.wait_for(self._stopped.wait(), REPORT_S)
            except TimeoutError:
                continue
        self._clear()
        await self._relay.close(GRACE_S)
        self._report()
        flush()

    def _clear(self) -> None:
        self._faults.clear()
        self._relay.release_held()

    def _report(self) -> None:
        for event in self._faults.events():
            emit(event)


async def _serve(plan: Plan, options: argparse.Namespace, context: ssl.SSLContext | None) -> None:
    faults = ExchangeFaults(plan, options.place, time.time() - time.monotonic())
    name = options.upstream_server_name
    relay = await serve(options.upstream, faults, port=options.port, context=context, server_name=name)
    # What the imports left is garbage for nobody: scanning it would stall held exchanges by tens of milliseconds.
    gc.collect()
    gc.freeze()
    proxy = FaultProxy(relay, faults)
    emit({"event": "ready", "port": relay.port})
    await proxy.until_stopped()


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fault_proxy", description="Put a plan's exchange faults on HTTP traffic.")
    parser.add_argument("--plan", type=Path, required=True, help="plan.json of the drill")
    parser.add_argument("--place", type=Place, choices=PLACES, required=True, help="where on the wire this stands")
    parser.add_argument("--upstream", required=True, help="http(s)://host:port of the server behind it")
    tls.add_options(parser)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any free one")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run the proxy until it is stopped. Returns the exit code: 0, or 2 for input that cannot be used."""
    options = _options(argv)
    try:
        secure = upstream_address(options.upstream).secure
        context = tls.from_options(options).context() if secure else None
        plan = Plan.model_validate_json(options.plan.read_bytes())
    except ValidationError as error:
        return _refuse(f"{options.plan}: not a plan of this version: {error}\n  fix: run the drill anew")
    except (ValueError, OSError, tls.BadTlsFile) as error:
        return _refuse(str(error))
    try:
        run(_serve(plan, options, context))
    except OSError as error:
        return _refuse(f"--port {options.port}: {error}\n  fix: leave --port out, and any free one is taken")
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return EXIT_BAD_INPUT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
