"""A fault proxy that stands by itself between a gateway and a model, told by a controller what to do.

It passes everything on until a controller that knows the token puts a plan, and again once the lease runs out.
"""

import asyncio
import gc
import os
import signal
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from alertdrill.adapters.control_server import ControlServer
from alertdrill.adapters.stand_alone_proxy.faults import ProxyFaults
from alertdrill.adapters.stand_alone_proxy.journal import ProxyJournal
from alertdrill.control.desk import Desk
from alertdrill.core.errors import BadInput, BadValue, Mistake
from alertdrill.core.inside_protocol import SHORTEST_TOKEN
from alertdrill.core.scenario.target import check_url, is_loopback
from alertdrill.relay.loop import run
from alertdrill.relay.server import Relay, serve, upstream_address
from alertdrill.tls import BadTlsFile, TlsSettings

T = TypeVar("T")

REPORT_S = 0.25
GRACE_S = 5.0


@dataclass(frozen=True)
class ProxyOptions:
    """How a proxy stands.

    Attributes:
        listen: host and port that traffic comes to.
        upstream: http(s)://host:port of the server behind it.
        control: host and port of the control interface.
        token_env: name of the variable that holds the secret of the control interface.
        lease_s: the longest lease that a control call is granted, seconds.
        journal: file that is appended to.
        allow_hosts: hosts, other than this machine, that may be disturbed.
        tls: how an https upstream is trusted.
    """

    listen: tuple[str, int]
    upstream: str
    control: tuple[str, int]
    token_env: str
    lease_s: float
    journal: Path
    allow_hosts: tuple[str, ...]
    tls: TlsSettings


def run_proxy(options: ProxyOptions, say: Callable[[str], None]) -> None:
    """Stand until SIGTERM or SIGINT.

    Raises:
        BadInput: an option cannot be used.
    """
    context = _context(options)
    token = _token(options.token_env)
    try:
        journal = ProxyJournal(options.journal)
        journal.write([{"record": "started", "upstream": options.upstream}], sync=True)
    except OSError as error:
        got = error.strerror or str(error)
        fix = "give another file, or make room"
        raise BadInput(
            [Mistake("--journal", got, "a file that can be appended to", fix, file=str(options.journal))]
        ) from None
    try:
        run(_stand(options, context, token, journal, say))
    finally:
        journal.close()


def _context(options: ProxyOptions) -> ssl.SSLContext | None:
    try:
        check_url(options.upstream)
        address = upstream_address(options.upstream)
        context = options.tls.context() if address.secure else None
    except BadValue as error:
        got = error.got or ("an address" if "@" in options.upstream else repr(options.upstream))
        raise BadInput([Mistake("--upstream", got, error.expected, error.fix)]) from None
    except ValueError as error:
        what, _, fix = str(error).partition("; fix: ")
        got, _, expected = what.removeprefix("upstream: got ").partition(", expected ")
        raise BadInput([Mistake("--upstream", got, expected, fix)]) from None
    except BadTlsFile as error:
        raise BadInput([Mistake(f"--{error.which}", f"{error.path}: {error.got}", error.expected, error.fix)]) from None
    if not is_loopback(address.host) and address.host not in {name.lower() for name in options.allow_hosts}:
        fix = f"if you may disturb that host, add --allow-host {address.host}"
        raise BadInput([Mistake("--upstream", address.host, "this machine, or a host that --allow-host names", fix)])
    return context


def _token(name: str) -> bytes:
    token = os.environ.get(name, "")
    if len(token) >= SHORTEST_TOKEN and token.isascii() and token.isprintable():
        return token.encode()
    got = f"{len(token)} characters" if token else "nothing"
    expected = f"{SHORTEST_TOKEN} or more printable ASCII characters, which the drill has to know"
    raise BadInput([Mistake(f"environment variable {name}", got, expected, f"export {name}=$(openssl rand -hex 32)")])


async def _stand(
    options: ProxyOptions,
    context: ssl.SSLContext | None,
    token: bytes,
    journal: ProxyJournal,
    say: Callable[[str], None],
) -> None:
    faults = ProxyFaults(journal)
    control = ControlServer(Desk(token, faults.read, options.lease_s))
    relay = await _listening("--listen", options.listen, partial(_relay, options, context, faults))
    faults.on_over = relay.release_held
    try:
        port = await _listening("--control", options.control, control.start)
        gc.collect()
        gc.freeze()
        say(f"traffic at {options.listen[0]}:{relay.port} goes to {options.upstream}")
        say(f"control at {options.control[0]}:{port}")
        await _until_stopped(faults)
    finally:
        await control.close()
        await relay.close(GRACE_S)
        await faults.keep()


async def _until_stopped(faults: ProxyFaults) -> None:
    """Keep the journal until SIGTERM or SIGINT; then end what is on."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    while not stopped.is_set():
        await faults.keep()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), REPORT_S)
    if faults.drill is not None:
        faults.drill.end("the proxy was stopped")


async def _relay(
    options: ProxyOptions, context: ssl.SSLContext | None, faults: ProxyFaults, host: str, port: int
) -> Relay:
    name = options.tls.server_name
    return await serve(options.upstream, faults, host=host, port=port, context=context, server_name=name)


async def _listening(option: str, address: tuple[str, int], start: Callable[[str, int], Awaitable[T]]) -> T:
    try:
        return await start(*address)
    except OSError as error:
        got = f"{address[0]}:{address[1]}: {error.strerror or error}"
        raise BadInput([Mistake(option, got, "an address of this machine that is free", "give another port")]) from None
