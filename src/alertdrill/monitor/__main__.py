"""`python -m alertdrill.lifeline -m alertdrill.monitor --upstream URL …`: the monitor as a process of its own."""

import argparse
import asyncio
import gc
import logging
import signal
import ssl
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alertdrill import tls
from alertdrill.lifeline import emit, flush
from alertdrill.monitor.bad_settings import BadSettings, Mistake, mistake_of, named
from alertdrill.monitor.books import Books
from alertdrill.monitor.clock import WallClock
from alertdrill.monitor.line_file import START, LineFile, end_of
from alertdrill.monitor.mirror import Mirror
from alertdrill.monitor.mirror_endpoint import MirrorEndpoint
from alertdrill.monitor.notes import Taker
from alertdrill.monitor.own_log import is_own_log
from alertdrill.monitor.reference import BadFile
from alertdrill.monitor.settings import Settings, add_options, settings_of
from alertdrill.monitor.sidecar import Sidecar, keep_account
from alertdrill.monitor.tail import Tail
from alertdrill.protocols.pointer import parts_of
from alertdrill.relay.exchange import Handler
from alertdrill.relay.loop import run
from alertdrill.relay.server import serve, upstream_address

GRACE_S = 0.5
COLLECTIONS = (20_000, 20, 100)


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="alertdrill monitor", description="Watch a model from in front, from its payload logger, or from its log."
    )
    ways = parser.add_argument_group("ways in, at least one")
    ways.add_argument("--upstream", help="http(s)://host:port of the model server: be a reverse proxy in front of it")
    ways.add_argument("--events", metavar="PATH", help="take CloudEvents that a payload logger posts to this path")
    ways.add_argument("--tail", metavar="FILE", type=Path, help="follow a prediction log of JSON lines")
    tls.add_options(parser)
    parser.add_argument("--tail-from", choices=("end", "start"), default="end", help="where in it to begin")
    parser.add_argument("--tail-inputs", default="/inputs", metavar="TEXT", help="JSON pointer to a line's request")
    parser.add_argument("--tail-outputs", default="/outputs", metavar="TEXT", help="JSON pointer to a line's answer")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any free one")
    add_options(parser)
    return parser.parse_args(argv)


@dataclass(frozen=True)
class Ways:
    """How exchanges come in, besides a reverse proxy."""

    mirror: Mirror | None
    tail: Tail | None

    @property
    def takers(self) -> list[Taker]:
        """What has metrics of its own."""
        return [way for way in (self.mirror, self.tail) if way is not None]


def open_ways(options: argparse.Namespace, settings: Settings) -> Ways:
    """The ways in that the options name.

    Raises:
        BadSettings: there is none, or one cannot be used.
    """
    mistakes = list(_mistakes(options, settings))
    if mistakes:
        raise BadSettings(*mistakes)
    labels = {"model": settings.model, "version": settings.model_version}
    mirror = Mirror(labels) if options.events is not None else None
    if options.tail is None:
        return Ways(mirror, None)
    file = LineFile(options.tail, START if options.tail_from == "start" else end_of(options.tail))
    return Ways(mirror, Tail(labels, file, options.tail_inputs, options.tail_outputs))


def _mistakes(options: argparse.Namespace, settings: Settings) -> Iterator[Mistake]:
    """What keeps the ways in from being opened."""
    if options.upstream is None and options.events is None and options.tail is None:
        what = "got none, expected at least one"
        yield Mistake("--upstream, --events, --tail", what, "give --upstream http://host:port")
    if options.events is not None and not options.events.startswith("/"):
        yield Mistake("--events", f"got {options.events!r}, expected a path", f"write /{options.events}")
    if settings.truth is not None and options.events == settings.truth.feedback_path:
        what = f"got {options.events}, to which --events has events posted, expected a path of its own"
        yield Mistake(named("feedback_path"), what, "write /feedback, and --events /events")
    if options.tail is not None and settings.log is not None and is_own_log(options.tail, settings.log):
        what = (
            f"got {options.tail} and {settings.log}, one log, expected two: every line would be read and written again"
        )
        yield Mistake("--tail, --log", what, "give --log another file, or leave it out")
    for where, pointer in (("--tail-inputs", options.tail_inputs), ("--tail-outputs", options.tail_outputs)):
        try:
            parts_of(pointer)
        except ValueError as error:
            yield mistake_of(where, error)


async def watch(options: argparse.Namespace, context: ssl.SSLContext | None, books: Books, ways: Ways) -> None:
    """Serve until SIGTERM.

    Raises:
        OSError: the port is taken.
    """
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    account = books.account
    handler: Handler = Sidecar(account, books.schema.path, books.truth, books.page)
    if ways.mirror is not None:
        ways.mirror.note_in(account)
        handler = MirrorEndpoint(ways.mirror, options.events, account.failures, handler)
    relay = await serve(
        options.upstream,
        handler,
        host=options.host,
        port=options.port,
        context=context,
        server_name=options.upstream_server_name,
    )
    work: list[Coroutine[Any, Any, None]] = [keep_account(account, relay, WallClock(), books.system)]
    if ways.tail is not None:
        work.append(ways.tail.follow(account))
    tasks = [asyncio.create_task(one) for one in work]
    _spare_collections()
    emit({"event": "ready", "port": relay.port})
    await ended.wait()
    for task in tasks:
        task.cancel()
    await relay.close(GRACE_S)


def _spare_collections() -> None:
    """Have the garbage collector look seldom, and never at what was loaded: each full look stops every answer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)


def main(argv: list[str]) -> int:
    """Run the monitor; the exit code is 0, or 2 for input that cannot be used."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    options = parse_arguments(argv)
    try:
        settings = settings_of(options)
        ways = open_ways(options, settings)
        secure = options.upstream is not None and upstream_address(options.upstream).secure
        context = tls.from_options(options).context() if secure else None
        books = Books(settings, ways.takers)
    except BadSettings as error:
        return _refuse(error.said())
    except (BadFile, ValueError, tls.BadTlsFile) as error:
        return _refuse(str(error))
    try:
        run(watch(options, context, books, ways))
    except OSError as error:
        return _refuse(f"--port {options.port}: {error.strerror}\n  fix: give a free port, or 0 for any")
    finally:
        books.account.close()
        flush()
    return 0


def _refuse(message: str) -> int:
    print(f"alertdrill monitor: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
