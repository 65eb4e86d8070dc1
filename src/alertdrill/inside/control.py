"""The way into an app: to the desk of a controller, to a drill's faults, or to the app itself for everybody else.

Without the right token the controller's paths are the app's own, as if nothing stood before it.
"""

from functools import partial

from alertdrill.asgi import App, Receive, Scope, Send, header, respond
from alertdrill.control.desk import LONGEST_PLAN_BYTES, Desk, Header, Readied, Refused
from alertdrill.control.leased import Clock
from alertdrill.inside.client import Client
from alertdrill.inside.drill import Drill, Faults
from alertdrill.inside.exchange import Exchange


class Control:
    """The drill that is on in this process, if one is, and what is done to each request."""

    def __init__(self, app: App, token: bytes, clock: Clock) -> None:
        self._app, self._clock = app, clock
        self._desk = Desk(token, self._read)

    def _read(self, plan_json: bytes, header: Header) -> Readied:
        faults = Faults(plan_json)
        return Readied(faults.run_id, partial(Drill, faults, clock=self._clock))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a controller, touch a request of the drill, or hand a request on."""
        path, headers = scope["path"].removeprefix(scope.get("root_path", "")), partial(header, scope)
        if self._desk.takes(path, headers):
            status, body = await self._desk.answer(scope["method"], path, headers, partial(_body, receive))
            await respond(send, status, body, [(b"content-type", b"application/json"), (b"cache-control", b"no-store")])
            return
        drill = self._desk.drill
        effect = drill.effect(scope) if isinstance(drill, Drill) else None
        if not isinstance(drill, Drill) or effect is None:
            await self._app(scope, receive, send)
        else:
            await Exchange(self._app, scope, Client(receive), send, drill, effect).run()


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the plan came in part")
        body += message.get("body", b"")
        if len(body) > LONGEST_PLAN_BYTES:
            raise Refused(413, f"got a plan of more than {LONGEST_PLAN_BYTES:,} bytes")
        if not message.get("more_body", False):
            return bytes(body)
