"""An app in the middleware, asked over in-memory ASGI, in a loop whose time passes only when all else is done."""

import asyncio
import json
import selectors
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from alertdrill.core.plan import Plan, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.core.touch import Touch
from alertdrill.inside import DrillFaults
from alertdrill.protocols.schema import Schema

TOKEN = "0123456789abcdef"
K = 2  # steady state, gate, the phase itself
LEASE_S = 5.0
SCHEMA = Schema.model_validate({"features": [{"name": "a", "kind": "number"}]})


def plan(*faults: Mapping[str, Any], run: str = "run-1") -> Plan:
    """A plan with one phase that has these faults, at `place: inside` unless they say otherwise."""
    inside = [{"place": "inside", "id": f"f{n}", **fault} for n, fault in enumerate(faults)]
    scenario = Scenario.model_validate(
        {
            "version": 1, "name": "s", "seed": 11, "target": {"bundled": "fraud"}, "load": {"rate": "10/s"},
            "phases": [{"name": "p", "duration": "5s", "faults": inside}],
        }
    )  # fmt: skip
    segments, injections = make_segments(scenario, SCHEMA, 1.0)
    target = TargetPlan(name="t", version="1", schema_=SCHEMA, sample_sha256="")
    return Plan(
        run_id=run, seed=11, scenario_path="s.yaml", scenario=scenario, target=target, rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip


def touched(made: Plan) -> list[bool]:
    """Which requests of the phase its first fault touches."""
    return list(Touch(made).mask(made.injections[0], 0, made.segments[K].count))


class _Instant(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits, and for nothing that will come")
        self.now += 0.0 if ready or timeout is None else timeout
        return ready


class SteppedLoop(asyncio.SelectorEventLoop):
    """Sleeps without waiting; what would run in a thread runs at once."""

    def __init__(self) -> None:
        self._instant = _Instant()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except ValueError as error:
            done.set_exception(error)
        return done


def stepped(work: Coroutine[Any, Any, None]) -> None:
    """Run a test in stepped time."""
    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        runner.run(work)


class Asked:
    """One request: what the app's server passes in, and what came out, with the instant of each message."""

    def __init__(self, method: str, path: str, headers: Mapping[str, str], body: bytes, root_path: str = "") -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": root_path,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.incoming: deque[dict[str, Any]] = deque([{"type": "http.request", "body": body, "more_body": False}])
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self._more = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        while not self.incoming:
            self._more.clear()
            await self._more.wait()
        return self.incoming.popleft()

    async def send(self, message: Any) -> None:
        self.sent.append((asyncio.get_running_loop().time(), dict(message)))

    def comes(self, *messages: dict[str, Any]) -> None:
        """The client sends more, or leaves."""
        self.incoming.extend(messages)
        self._more.set()

    def leaves(self) -> None:
        """The client closes the connection."""
        self.comes({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        """Status of the answer."""
        return int(self.sent[0][1]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Headers of the answer."""
        return dict(self.sent[0][1]["headers"])

    @property
    def body(self) -> bytes:
        """Body of the answer."""
        return b"".join(message["body"] for _, message in self.sent[1:])

    @property
    def answer(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.body)


App = Callable[[Any, Any, Any], Awaitable[None]]


class World:
    """An app in the middleware.

    Attributes:
        seen: bodies that reached the app, with the instant at which it had each.
    """

    def __init__(self, app: App | None = None) -> None:
        self.seen: list[tuple[float, bytes]] = []
        self.server = DrillFaults(app or self.echo, TOKEN, clock=asyncio.get_running_loop().time)

    async def echo(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers with the body that it got, in two pieces."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.seen.append((asyncio.get_running_loop().time(), body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"echo")]})
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": body[3:], "more_body": False})

    async def serve(self, asked: Asked) -> Asked:
        """Let the app answer."""
        await self.server(asked.scope, asked.receive, asked.send)
        return asked

    def request(self, i: int, k: int = K, run: str = "run-1", body: bytes = b"0123456789") -> Asked:
        """Request `k.i` of a run."""
        return Asked("POST", "/predict", {"x-alertdrill-run": run, "x-alertdrill-seq": f"{k}.{i}"}, body)

    async def ask(self, i: int, **more: Any) -> Asked:
        """Request `k.i`, answered."""
        return await self.serve(self.request(i, **more))

    async def control(
        self, method: str, what: str, body: bytes = b"", run: str = "run-1", token: str = TOKEN, **headers: object
    ) -> Asked:
        """A control request; headers `lease` and `after`."""
        named = {f"x-alertdrill-{name}": str(value) for name, value in headers.items()}
        ours = {"x-alertdrill-token": token, "x-alertdrill-run": run}
        return await self.serve(Asked(method, f"/.alertdrill/{what}", {**ours, **named}, body))

    async def begin(self, made: Plan, lease: float = LEASE_S) -> Asked:
        """Hand a plan over."""
        return await self.control("PUT", "plan", made.model_dump_json().encode(), run=made.run_id, lease=lease)

    async def events(self, after: int = 0) -> list[Any]:
        """What was touched and seen."""
        found: list[Any] = (await self.control("GET", "events", after=after)).answer["events"]
        return found

    async def touched(self) -> dict[str, Any]:
        """The one event of touched exchanges."""
        (event,) = [one for one in await self.events() if one["event"] == "touched"]
        return dict(event)
