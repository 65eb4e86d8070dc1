"""The monitor as a reverse proxy before the model: forwards everything, notes what it saw, answers `GET /metrics`."""

import asyncio
import time

from alertdrill.drift.e_detector import UPDATE_S
from alertdrill.monitor.account import NOTES_AT_A_TIME, Account
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.clock import WallClock
from alertdrill.monitor.exposition import CONTENT_TYPE, METRICS_PATH
from alertdrill.monitor.notes import Failure, note_of
from alertdrill.monitor.page.page import Page
from alertdrill.monitor.system import System
from alertdrill.monitor.truth.ground_truth import FAILED, GroundTruth
from alertdrill.protocols.json_rows import LARGEST_BODY_BYTES
from alertdrill.protocols.malformed import Malformed
from alertdrill.relay.exchange import KEPT_BODY_BYTES, Effect, End, Exchange, Request, Response
from alertdrill.relay.server import Relay

_wall = time.time
_ANSWERED = End.ANSWERED

CLIENT_CLOSED_REQUEST = 499
CUT_SHORT = {End.UPSTREAM_CLOSED: 502, End.UPSTREAM_TIMEOUT: 504}
FAILURE_OF = {
    End.UPSTREAM_REFUSED: Failure.REFUSED,
    End.UPSTREAM_TLS: Failure.TLS,
    End.UPSTREAM_CLOSED: Failure.RESET,
    End.UPSTREAM_TIMEOUT: Failure.TIMEOUT,
    End.CLIENT_GONE: Failure.CLIENT_GONE,
}


class Sidecar:
    """What a relay calls for every exchange. Nothing is parsed before the answer has been passed on."""

    def __init__(self, account: Account, path: str, truth: GroundTruth | None = None, page: Page | None = None) -> None:
        """Watch one endpoint.

        Args:
            account: where exchanges are noted.
            path: of the endpoint that predicts; only POST requests to it count.
            truth: what takes feedback; None: nothing does.
            page: what browsers are answered; None: nothing.
        """
        self._account, self._truth, self._page = account, truth, page
        self._feedback_path = truth.path if truth is not None else b""
        self._path = path.encode()

    def local(self, request: Request) -> Response | None:
        """The metrics and the page, for a GET of them, and what becomes of feedback, for a POST of it."""
        if request.method == b"GET":
            return self._shown(_path(request).decode("latin-1"), request)
        if self._truth is None or request.method != b"POST" or _path(request) != self._feedback_path:
            return None
        with self._account.failures:
            return Response(*self._truth.answer(request.body))
        return Response(*FAILED)

    def _shown(self, path: str, request: Request) -> Response | None:
        with self._account.failures:
            if path == METRICS_PATH:
                return Response(200, ((b"content-type", CONTENT_TYPE),), self._account.scrape())
            answer = self._page and self._page.answer(path, request.header(b"accept") or b"")
            return Response(*answer) if answer else None
        return Response(500, ((b"content-type", b"text/plain"),), b"the monitor could not write its numbers\n")

    def effect(self, request: Request) -> Effect | None:
        """Nothing: a monitor only watches."""
        return None

    def ended(self, exchange: Exchange) -> None:
        """Note an exchange with the endpoint; its code says what the client met.

        An answer cut short by the model counts as 502 or 504 even if 200 had been sent, and a client that left before
        any answer as 499.
        """
        request, end = exchange.request, exchange.end
        if request.method != b"POST" or _path(request) != self._path:
            return
        answer, body, status, failure = exchange.response_body, request.body, exchange.status, None
        if end is not _ANSWERED:
            status, failure = CUT_SHORT.get(end, status), FAILURE_OF.get(end)
        self._account.note(
            note_of(
                (
                    status or CLIENT_CLOSED_REQUEST,
                    exchange.ended_at - request.received_at,
                    end is _ANSWERED,
                    body if len(body) <= LARGEST_BODY_BYTES else Malformed.TOO_LARGE,
                    answer if len(answer) < KEPT_BODY_BYTES else BadAnswer.TOO_LARGE,
                    _wall(),
                    request.headers,
                    exchange.response_headers,
                    failure,
                    None,
                )
            )
        )


def _path(request: Request) -> bytes:
    return request.target.partition(b"?")[0]


async def keep_account(account: Account, relay: Relay, clock: WallClock, system: System | None = None) -> None:
    """Count what was noted, and bring the evidence up to date, each 100 ms; runs until it is cancelled.

    Counting yields to the event loop every few exchanges, so that no answer waits for it.

    Args:
        account: to be kept.
        relay: that serves.
        clock: that may be set.
        system: resources to sample, off the event loop.
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
        account.clock_jumps += clock.jumped()
        with account.failures:
            account.update(window_end)
        if system is not None:
            with account.failures:
                await system.freshen()
