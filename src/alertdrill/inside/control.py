"""What a controller asks of an app's middleware, under /.alertdrill/, and the way to the app for everybody else.

`PUT plan` (body: plan.json) begins a drill, `DELETE plan` ends it, `GET plan` tells which one is on; `POST lease`
renews and hands over what was touched and seen, `GET events` hands over alone. Headers: x-alertdrill-token always,
x-alertdrill-run to renew, hand over and end, x-alertdrill-lease (seconds) to begin and renew, x-alertdrill-after
(number of the last event that the controller has) to hand over. Without the right token these paths are the app's own,
as if nothing stood before it.
"""

import asyncio
import hmac
import json
import os
import secrets
from typing import Any

from alertdrill import __version__
from alertdrill.asgi import App, Receive, Scope, Send, header, respond
from alertdrill.core.drill_headers import RUN_HEADER
from alertdrill.core.inside_protocol import (
    AFTER_HEADER,
    LEASE_HEADER,
    LONGEST_LEASE_S,
    PREFIX,
    SHORTEST_LEASE_S,
    TOKEN_HEADER,
)
from alertdrill.inside.client import Client
from alertdrill.inside.drill import Clock, Drill, Faults, Unusable
from alertdrill.inside.exchange import Exchange

LONGEST_PLAN_BYTES = 16 << 20
MOST_EVENTS = 1e15


class _Refused(Exception):
    """A control request that cannot be carried out."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Control:
    """The drill that is on in this process, if one is, and what is done to each request."""

    def __init__(self, app: App, token: bytes, clock: Clock) -> None:
        self._app, self._token, self._clock = app, token, clock
        self._mark = secrets.token_hex(4)
        self._drill: Drill | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a controller, touch a request of the drill, or hand a request on."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path.startswith(PREFIX) and hmac.compare_digest(header(scope, TOKEN_HEADER.encode()) or b"", self._token):
            await self._answer(f"{scope['method']} {path.removeprefix(PREFIX)}", scope, receive, send)
            return
        drill = self._drill
        effect = None if drill is None else drill.effect(scope)
        if drill is None or effect is None:
            await self._app(scope, receive, send)
        else:
            await Exchange(self._app, scope, Client(receive), send, drill, effect).run()

    async def _answer(self, asked: str, scope: Scope, receive: Receive, send: Send) -> None:
        status = 200
        try:
            answer = await self._carry_out(asked, scope, receive)
        except _Refused as refused:
            status, answer = refused.status, {"error": str(refused)}
        body = json.dumps({**answer, "process": f"{self._mark}-{os.getpid()}", "version": __version__}).encode()
        await respond(send, status, body, [(b"content-type", b"application/json"), (b"cache-control", b"no-store")])

    async def _carry_out(self, asked: str, scope: Scope, receive: Receive) -> dict[str, Any]:
        match asked:
            case "GET plan":
                return {"run": self._drill.run_id if self._drill is not None and self._drill.alive else None}
            case "PUT plan":
                await self._begin(await _body(receive), _lease_s(scope))
                return {}
            case "DELETE plan":
                self._of(scope).end()
                return {}
            case "POST lease":
                drill = self._of(scope)
                if not drill.alive:
                    raise _Refused(409, "the lease has run out")
                drill.renew(_lease_s(scope))
                return _events(drill, scope)
            case "GET events":
                return _events(self._of(scope), scope)
            case _:
                raise _Refused(404, "got no such path, expected plan, lease or events")

    async def _begin(self, plan_json: bytes, lease_s: float) -> None:
        try:
            faults = await asyncio.to_thread(Faults, plan_json)
        except Unusable as error:
            raise _Refused(400, str(error)) from None
        if self._drill is not None and self._drill.alive and self._drill.run_id != faults.run_id:
            raise _Refused(409, f"drill {self._drill.run_id} is on in this app")
        if self._drill is not None:
            self._drill.end()
        self._drill = Drill(faults, lease_s, self._clock)

    def _of(self, scope: Scope) -> Drill:
        """The drill of the run that a control request names."""
        if self._drill is None or header(scope, RUN_HEADER) != self._drill.run_id.encode():
            raise _Refused(409, "this app holds no plan of that run")
        return self._drill


def _events(drill: Drill, scope: Scope) -> dict[str, Any]:
    last, events = drill.account.events(int(_number(scope, AFTER_HEADER, 0.0, MOST_EVENTS)))
    return {"last": last, "now": drill.wall(drill.now()), "events": events}


def _lease_s(scope: Scope) -> float:
    return _number(scope, LEASE_HEADER, SHORTEST_LEASE_S, LONGEST_LEASE_S)


def _number(scope: Scope, name: str, low: float, high: float) -> float:
    value = header(scope, name.encode())
    try:
        number = float(value or b"")
    except ValueError:
        number = -1.0
    if not low <= number <= high:
        got = "nothing" if value is None else repr(value.decode("latin-1"))
        raise _Refused(400, f"{name}: got {got}, expected a number from {low:g} to {high:g}")
    return number


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400, "the plan came in part")
        body += message.get("body", b"")
        if len(body) > LONGEST_PLAN_BYTES:
            raise _Refused(413, f"got a plan of more than {LONGEST_PLAN_BYTES:,} bytes")
        if not message.get("more_body", False):
            return bytes(body)
