"""One touched exchange inside an app: held, answered in the app's place, left silent, or its answer altered."""

import asyncio
import logging
from contextlib import suppress
from itertools import pairwise

from alertdrill.asgi import App, Message, Scope, Send, respond
from alertdrill.core.exchange_account import Ended
from alertdrill.inside.client import Client
from alertdrill.inside.drill import Drill, Effect

KEPT_BODY_BYTES = 1 << 20
DRIP_S = 0.05
CLIENT_CLOSED_REQUEST = 499
APP_FAILED = 500
_BODIES = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend")

logger = logging.getLogger(__name__)


class Exchange:
    """Carries out an effect on one exchange. Everything that waits goes on once the drill is over."""

    def __init__(self, app: App, scope: Scope, client: Client, send: Send, drill: Drill, effect: Effect) -> None:
        self._app, self._scope, self._client, self._raw_send = app, scope, client, send
        self._drill, self._effect, self._does = drill, effect, effect.does
        self._kept_back: bytearray | None = None  # the body of the answer, while it is kept for an edit or a slow pass
        self._effect_at: float | None = None
        self._released: float | None = None
        self._ended: float | None = None
        self._code = 0

    async def run(self) -> None:
        """Carry the effect out, and put the exchange on the account.

        Raises:
            Exception: what the app raises.
        """
        try:
            if await self._wait():
                await self._go_on()
            else:  # nobody reads it, but layers around us expect an answer
                with suppress(OSError):
                    await respond(self._raw_send, CLIENT_CLOSED_REQUEST, b"", ())
        finally:
            self._client.close()
            self._put_on_account()

    async def _wait(self) -> bool:
        """Hold the request; False if the client left meanwhile."""
        silent = self._does.cut is not None
        if not silent and self._does.delay_s <= 0:
            return True
        self._took_effect()
        leaving = asyncio.ensure_future(self._client.left())
        try:
            until_s = None if silent else self._does.delay_s
            await asyncio.wait({leaving, self._drill.over}, timeout=until_s, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                leaving.result()
                return False
            return True
        finally:
            leaving.cancel()

    async def _go_on(self) -> None:
        if self._does.answer is not None and self._drill.alive:
            self._took_effect()
            answer = self._does.answer
            headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
            await respond(self._send, answer.status, answer.body, headers)
            return
        self._released = self._drill.now()
        try:
            await self._app(self._scope, self._client.receive, self._send)
        except Exception:
            if self._code == 0:  # a server, or a layer around us, answers so for an app that raised
                self._code, self._ended = APP_FAILED, self._drill.now()
            raise

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._code = message["status"]
            altered = self._does.edit is not None or self._does.download_s > 0
            self._kept_back = bytearray() if altered else None
        if kind == "http.response.body" and self._kept_back is not None:
            await self._send_altered(self._kept_back, message)
        else:
            await self._raw_send(message)
        if kind in _BODIES and not message.get("more_body", False):
            self._ended = self._drill.now()

    async def _send_altered(self, kept_back: bytearray, message: Message) -> None:
        """Keep the body back until it is whole; one that is too long, or outlives the drill, passes as it is."""
        kept_back += message.get("body", b"")
        alterable = self._drill.alive and len(kept_back) <= KEPT_BODY_BYTES
        if alterable and message.get("more_body", False):
            return
        self._kept_back = None
        body = self._edited(bytes(kept_back)) if alterable else bytes(kept_back)
        if alterable and body and self._does.download_s > 0:
            await self._drip(body)
        else:
            await self._raw_send({**message, "body": body})

    def _edited(self, body: bytes) -> bytes:
        """The edited body; as it was if the edit fails, or changes the length that the client was told."""
        if self._does.edit is None or not body:
            return body
        try:
            edited = self._does.edit(body)
        except Exception:
            logger.exception("%s could not edit an answer", " and ".join(self._effect.causes))
            return body
        if len(edited) != len(body):
            logger.error("%s changed the length of an answer", " and ".join(self._effect.causes))
            return body
        if edited != body:
            self._took_effect()
        return edited

    async def _drip(self, body: bytes) -> None:
        """Send a body evenly over its time, all that is left of it at once when the drill is over."""
        over_s = self._does.download_s
        count = max(1, min(len(body), round(over_s / DRIP_S)))
        ends = [len(body) * n // count for n in range(count + 1)]
        began = self._drill.now()
        for n, (start, stop) in enumerate(pairwise(ends), 1):
            left_s = began + over_s * n / count - self._drill.now()
            await asyncio.wait({self._drill.over}, timeout=max(left_s, 0.0))
            self._took_effect()
            await self._raw_send({"type": "http.response.body", "body": body[start:stop], "more_body": n < count})

    def _took_effect(self) -> None:
        if self._effect_at is None:
            self._effect_at = self._drill.now()

    def _put_on_account(self) -> None:
        wall = self._drill.wall
        ended = Ended(wall(self._effect_at), wall(self._released), wall(self._ended), self._code)
        for injection in self._effect.causes:
            self._drill.account.touched(injection, self._effect.k, self._effect.i, ended)
