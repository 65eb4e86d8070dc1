"""The monitor as a reverse proxy before the model: forwards everything, notes what it saw, answers `GET /metrics`."""

import asyncio
import time

from alertdrill.drift.e_detector import UPDATE_S
from alertdrill.monitor.account import Account, Note
from alertdrill.monitor.exposition import CONTENT_TYPE
from alertdrill.monitor.truth.ground_truth import GroundTruth
from alertdrill.relay.exchange import Effect, End, Exchange, Request, Response
from alertdrill.relay.server import Relay

METRICS_PATH = b"/metrics"
NOTES_AT_A_TIME = 128
CLIENT_CLOSED_REQUEST = 499
CUT_SHORT = {End.UPSTREAM_CLOSED: 502, End.UPSTREAM_TIMEOUT: 504}


class Sidecar:
    """What a relay calls for every exchange. Nothing is parsed before the answer has been passed on."""

    def __init__(self, account: Account, path: str, truth: GroundTruth | None = None) -> None:
        """Watch one endpoint.

        Args:
            account: where exchanges are noted.
            path: of the endpoint that predicts; only POST requests to it count.
            truth: what takes feedback; None: nothing does.
        """
        self._account = account
        self._truth = truth
        self._path = path.encode()

    def local(self, request: Request) -> Response | None:
        """The metrics, for `GET /metrics`, and what takes feedback, for a POST of it."""
        if self._truth is not None and request.method == b"POST" and _path(request) == self._truth.path:
            with self._account.failures:
                return Response(*self._truth.answer(request.body))
            return Response(500, ((b"content-type", b"text/plain"),), b"the monitor could not take the feedback\n")
        if _path(request) != METRICS_PATH or request.method != b"GET":
            return None
        with self._account.failures:
            return Response(200, ((b"content-type", CONTENT_TYPE),), self._account.scrape())
        return Response(500, ((b"content-type", b"text/plain"),), b"the monitor could not write its metrics\n")

    def effect(self, request: Request) -> Effect | None:
        """Nothing: a monitor only watches."""
        return None

    def ended(self, exchange: Exchange) -> None:
        """Note an exchange with the endpoint; its code says what the client met.

        An answer cut short by the model counts as 502 or 504 even if 200 had been sent, and a client that left before
        any answer as 499.
        """
        request = exchange.request
        if request.method != b"POST" or _path(request) != self._path:
            return
        code = CUT_SHORT.get(exchange.end, exchange.status or CLIENT_CLOSED_REQUEST)
        duration_s = exchange.ended_at - request.received_at
        self._account.note(Note(code, duration_s, exchange.end is End.ANSWERED, request.body))
        if self._truth is not None and exchange.end is End.ANSWERED and 200 <= code < 300:
            self._truth.see(request.body, exchange.response_body, request.headers, exchange.response_headers)


def _path(request: Request) -> bytes:
    return request.target.partition(b"?")[0]


async def keep_account(account: Account, relay: Relay) -> None:
    """Count what was noted, and bring the evidence up to date, each 100 ms; runs until it is cancelled.

    Counting yields to the event loop every few exchanges, so that no answer waits for it.
    """
    while True:
        await asyncio.sleep(UPDATE_S)
        window_end, left = time.time(), account.waiting
        while left > 0:
            with account.failures:
                account.fold(NOTES_AT_A_TIME)
            left -= NOTES_AT_A_TIME
            await asyncio.sleep(0)
        account.refused, account.relay_errors = relay.refused, relay.handler_errors
        with account.failures:
            account.update(window_end)
