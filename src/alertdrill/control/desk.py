"""What a controller asks, under /.alertdrill/, whoever carries the faults out.

`PUT plan` (body: plan.json) begins a drill, `DELETE plan` ends it, `GET plan` tells which one is on; `POST lease`
renews and hands over what was touched and seen, `GET events` hands over alone. Headers: x-alertdrill-token always,
x-alertdrill-run to renew, hand over and end, x-alertdrill-lease (seconds) to begin and renew, x-alertdrill-after
(number of the last event that the controller has) to hand over, x-alertdrill-place to begin at a fault proxy.
"""

import asyncio
import hmac
import json
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from alertdrill import __version__
from alertdrill.control.leased import Leased, Unusable
from alertdrill.core.drill_headers import RUN_HEADER
from alertdrill.core.inside_protocol import (
    AFTER_HEADER,
    LEASE_HEADER,
    LONGEST_LEASE_S,
    PREFIX,
    SHORTEST_LEASE_S,
    TOKEN_HEADER,
)

LONGEST_PLAN_BYTES = 16 << 20
MOST_EVENTS = 1e15

Header = Callable[[bytes], bytes | None]
Body = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True)
class Readied:
    """A plan that was read.

    Attributes:
        run_id: of the drill.
        begin: begins its faults under a lease of so many seconds; raises Unusable.
    """

    run_id: str
    begin: Callable[[float], Leased]


Read = Callable[[bytes, Header], Readied]


class Refused(Exception):
    """A control request that cannot be carried out.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Desk:
    """Answers a controller that knows the token, and holds the drill that is on.

    Args:
        token: the secret.
        read: makes of a plan what begins its faults under a lease; called in a thread of its own. Raises Unusable.
        longest_lease_s: a longer lease is cut to this.
    """

    def __init__(self, token: bytes, read: Read, longest_lease_s: float = LONGEST_LEASE_S) -> None:
        self._token, self._read, self._longest_lease_s = token, read, longest_lease_s
        self._mark = secrets.token_hex(4)
        self.drill: Leased | None = None

    def takes(self, path: str, header: Header) -> bool:
        """Whether a request is for the desk: below its prefix, and with the right token."""
        return path.startswith(PREFIX) and hmac.compare_digest(header(TOKEN_HEADER.encode()) or b"", self._token)

    async def answer(self, method: str, path: str, header: Header, body: Body) -> tuple[int, bytes]:
        """Status and body, JSON, of the answer."""
        status = 200
        try:
            answer = await self._carry_out(f"{method} {path.removeprefix(PREFIX)}", header, body)
        except Refused as refused:
            status, answer = refused.status, {"error": str(refused)}
        return status, json.dumps({**answer, "process": f"{self._mark}-{os.getpid()}", "version": __version__}).encode()

    async def _carry_out(self, asked: str, header: Header, body: Body) -> dict[str, Any]:
        match asked:
            case "GET plan":
                return {"run": self.drill.run_id if self.drill is not None and self.drill.alive else None}
            case "PUT plan":
                await self._begin(await body(), self._lease_s(header), header)
                return {}
            case "DELETE plan":
                self._of(header).end()
                return {}
            case "POST lease":
                drill = self._of(header)
                if not drill.alive:
                    raise Refused(409, drill.why or "the lease has run out")
                drill.renew(self._lease_s(header))
                return _events(drill, header)
            case "GET events":
                return _events(self._of(header), header)
            case _:
                raise Refused(404, "got no such path, expected plan, lease or events")

    async def _begin(self, plan_json: bytes, lease_s: float, header: Header) -> None:
        try:
            readied = await asyncio.to_thread(self._read, plan_json, header)
            if self.drill is not None and self.drill.alive and self.drill.run_id != readied.run_id:
                raise Refused(409, f"drill {self.drill.run_id} is on here")
            if self.drill is not None:
                self.drill.end()
            self.drill = readied.begin(lease_s)
        except Unusable as error:
            raise Refused(400, str(error)) from None

    def _of(self, header: Header) -> Leased:
        """The drill of the run that a control request names."""
        if self.drill is None or header(RUN_HEADER) != self.drill.run_id.encode():
            raise Refused(409, "no plan of that run is held here")
        return self.drill

    def _lease_s(self, header: Header) -> float:
        return min(_number(header, LEASE_HEADER, SHORTEST_LEASE_S, LONGEST_LEASE_S), self._longest_lease_s)


def _events(drill: Leased, header: Header) -> dict[str, Any]:
    last, events = drill.account.events(int(_number(header, AFTER_HEADER, 0.0, MOST_EVENTS)))
    return {"last": last, "now": drill.wall(drill.now()), "events": events}


def _number(header: Header, name: str, low: float, high: float) -> float:
    value = header(name.encode())
    try:
        number = float(value or b"")
    except ValueError:
        number = -1.0
    if not low <= number <= high:
        got = "nothing" if value is None else repr(value.decode("latin-1"))
        raise Refused(400, f"{name}: got {got}, expected a number from {low:g} to {high:g}")
    return number
