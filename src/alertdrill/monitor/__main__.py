"""`python -m alertdrill.lifeline -m alertdrill.monitor --upstream URL …`: the monitor as a process of its own."""

import argparse
import asyncio
import logging
import os
import signal
import ssl
import sys
import time
from pathlib import Path

from alertdrill import tls
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.drift.reference import watched_cells
from alertdrill.lifeline import emit, flush
from alertdrill.monitor.account import Account
from alertdrill.monitor.reference import BadFile, load_reference, load_schema, unwatched_names
from alertdrill.monitor.sidecar import Sidecar, keep_account
from alertdrill.monitor.truth import settings as truth_options
from alertdrill.monitor.truth.ground_truth import GroundTruth
from alertdrill.relay.loop import run
from alertdrill.relay.server import serve, upstream_address

GRACE_S = 0.5


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="alertdrill monitor", description="Watch a model endpoint from in front.")
    parser.add_argument("--upstream", required=True, help="http(s)://host:port of the model server")
    tls.add_options(parser)
    parser.add_argument("--schema", required=True, type=Path, help="JSON file: the features and the endpoint")
    parser.add_argument("--reference", required=True, type=Path, help="CSV file: a sample of normal rows")
    parser.add_argument("--model", default="model", help="value of the label model")
    parser.add_argument("--model-version", default="1", help="value of the label version")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any free one")
    parser.add_argument(
        "--exact-reference",
        action="store_true",
        help="live rows are drawn from the reference itself: watch also for drifts that its size would not support",
    )
    parser.add_argument(
        "--false-alarms-per-week",
        type=float,
        default=1.0,
        help="drift alarms that chance alone may raise in a week, on average and over all features: 0.0001 to 1000",
    )
    truth_options.add_options(parser)
    return parser.parse_args(argv)


def open_account(options: argparse.Namespace) -> tuple[Account, str]:
    """The books of the model that the options describe, and the path of its endpoint.

    Raises:
        BadFile: a file cannot be used.
        ValueError: the budget of false alarms is out of range.
    """
    schema = load_schema(options.schema)
    rows = load_reference(options.reference, schema)
    try:
        cells = watched_cells(schema, rows)
    except ValueError as error:
        raise BadFile(options.reference, str(error), "give a sample with values of it, or set watched: false") from None
    try:
        threshold = log_threshold(len(cells), options.false_alarms_per_week)
    except ValueError as error:
        fix = "write 1 for one false alarm a week over all features"
        raise ValueError(f"--false-alarms-per-week\n  {error}\n  fix: {fix}") from None
    detector = EDetector(list(cells.values()), threshold, options.exact_reference)
    labels = {"model": options.model, "version": options.model_version}
    return Account(labels, cells, unwatched_names(schema), detector, time.time()), schema.path


def open_truth(options: argparse.Namespace, account: Account) -> GroundTruth | None:
    """What takes feedback, its metrics among those of the account; None if the options name no store for it.

    Raises:
        BadOptions: they cannot be used.
    """
    settings = truth_options.read_options(options)
    if settings is None:
        return None
    labels = {"model": options.model, "version": options.model_version}
    truth = GroundTruth(settings, labels, os.environ, account.failures)
    account.more.append(truth.render)
    return truth


async def watch(
    options: argparse.Namespace,
    context: ssl.SSLContext | None,
    account: Account,
    path: str,
    truth: GroundTruth | None = None,
) -> None:
    """Serve until SIGTERM.

    Raises:
        OSError: the port is taken.
    """
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    relay = await serve(
        options.upstream,
        Sidecar(account, path, truth),
        host=options.host,
        port=options.port,
        context=context,
        server_name=options.upstream_server_name,
    )
    keeper = asyncio.create_task(keep_account(account, relay))
    emit({"event": "ready", "port": relay.port})
    await ended.wait()
    keeper.cancel()
    await relay.close(GRACE_S)
    if truth is not None:
        truth.stop()


def main(argv: list[str]) -> int:
    """Run the monitor; the exit code is 0, or 2 for input that cannot be used."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    options = parse_arguments(argv)
    try:
        secure = upstream_address(options.upstream).secure
        context = tls.from_options(options).context() if secure else None
        account, path = open_account(options)
        truth = open_truth(options, account)
    except (BadFile, ValueError, tls.BadTlsFile, truth_options.BadOptions) as error:
        return _refuse(str(error))
    try:
        run(watch(options, context, account, path, truth))
    except OSError as error:
        return _refuse(f"--port {options.port}: {error.strerror}\n  fix: give a free port, or 0 for any")
    finally:
        flush()
    return 0


def _refuse(message: str) -> int:
    print(f"alertdrill monitor: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
