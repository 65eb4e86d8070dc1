"""What a keeper does with the processes of a target: starts, watches, halts, restores and ends them."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from alertdrill.adapters.keeper.answers import SILENT_S, Answer, ask, refuses
from alertdrill.adapters.keeper.tree import Effect, Tree
from alertdrill.core.halt import Halt
from alertdrill.lifeline import Command, emit

POLL_S = 0.05
LOOK_S = 0.25
TERM_S = 10.0
END_S = 5.0


class Lost(Exception):
    """The target is not there although it should be; the text says how."""


@dataclass
class _Halted:
    """A halt that is on.

    Attributes:
        until_at: the last look at which all was as it should be.
    """

    injection: str
    k: int
    how: Halt
    effect: Effect
    until_at: float
    why: str

    def tell(self, over: bool) -> None:
        """Tell the controller that it began, or is over."""
        emit(
            {
                "event": "halted",
                "injection": self.injection,
                "k": self.k,
                "pids": list(self.effect.pids),
                "from_at": self.effect.first_at,
                "until_at": self.until_at if over and self.effect.pids else None,
                "why": self.why,
            }
        )


class Keeper:
    """Keeps one target; `run` returns once it was told to stop it."""

    def __init__(self, tree: Tree, port: int, ready: str, ready_timeout_s: float) -> None:
        self._tree, self._port, self._ready, self._ready_timeout_s = tree, port, ready, ready_timeout_s
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._halted: _Halted | None = None

    def do(self, command: Command) -> None:
        """Take a command: `stop` at once, others in their order."""
        if command.get("do") == "stop":
            self._stopping.set()
        else:
            self._commands.put_nowait(command)

    async def run(self) -> None:
        """Start the target and keep it.

        Raises:
            Lost: it did not start, or ended by itself.
        """
        keeping = asyncio.create_task(self._keep())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
        finally:
            for task in (keeping, stopping):
                task.cancel()
            await asyncio.wait({keeping, stopping})
            await self._end()

    async def _keep(self) -> None:
        await self._start()
        emit({"event": "ready", "port": self._port})
        while True:
            try:
                command = await asyncio.wait_for(self._commands.get(), LOOK_S)
            except TimeoutError:
                await self._look()
                continue
            match command.get("do"):
                case "halt":
                    await self._until(command["at"])
                    await self._halt(command["injection"], command["k"], Halt(command["how"]))
                case "restore":
                    await self._until(command["at"])
                    await self._restore()
                    emit({"event": "restored"})

    async def _until(self, at: float) -> None:
        """Wait for an instant, looking on meanwhile."""
        while (left_s := at - time.time()) > 0:
            if left_s > LOOK_S:
                await self._look()
            await asyncio.sleep(min(max(0.0, at - time.time()), LOOK_S))

    async def _start(self) -> float:
        """Run the command until it is ready; when it was last seen not to answer.

        Raises:
            Lost: it ended, or was not ready in time.
        """
        down_at = time.time()
        try:
            self._tree.start()
        except OSError as error:
            raise Lost(f"cannot be run: {error.strerror}") from None
        deadline = time.monotonic() + self._ready_timeout_s
        while time.monotonic() < deadline:
            asked_at = time.time()
            answer = await ask(self._port, self._ready)
            if answer is Answer.READY:
                return down_at
            down_at = asked_at if answer is Answer.NONE else down_at
            self._check_alive("before it was ready")
            await asyncio.sleep(POLL_S)
        raise Lost(f"did not answer 2xx at {self._ready} of port {self._port} within {self._ready_timeout_s:g} s")

    def _check_alive(self, when: str) -> None:
        self._tree.reap()
        if self._tree.exit_code is not None:
            raise Lost(f"ended with exit code {self._tree.exit_code} {when}")

    async def _look(self) -> None:
        """See that all is as it should be: the target alive, or still halted."""
        one = self._halted
        if one is None:
            self._check_alive("by itself")
            return
        if one.why or not one.effect.pids:
            return
        now = time.time()
        if one.how is Halt.STOP:
            as_planned = self._tree.all_stopped()
        else:
            as_planned = await ask(self._port, self._ready, SILENT_S) is Answer.NONE
        if as_planned:
            one.until_at = now
        else:
            one.why = "something else let the processes go on" if one.how is Halt.STOP else "something else answered"

    async def _halt(self, injection: str, k: int, how: Halt) -> None:
        asked_at = time.time()
        refused: list[float] = []

        def look() -> None:
            if not refused and refuses(self._port):
                refused.append(time.time())

        match how:
            case Halt.STOP:
                effect = await self._tree.stop()
            case Halt.KILL:
                effect = await self._tree.kill()
            case Halt.RESTART:
                effect = await self._tree.end(TERM_S, look)
                first = [at for at in (effect.first_at, *refused) if at is not None]
                effect = Effect(effect.pids, min(first, default=None), effect.why)
        self._halted = _Halted(injection, k, how, effect, effect.first_at or asked_at, effect.why)
        if effect.pids and not effect.why:
            answer = await ask(self._port, self._ready, SILENT_S)
            if answer in (Answer.READY, Answer.OTHER):
                self._halted.why = f"127.0.0.1:{self._port} still answered, though every process was halted"
        self._halted.tell(over=False)
        if how is Halt.RESTART:
            await self._restore()

    async def _restore(self) -> None:
        one = self._halted
        if one is None:
            return
        await self._look()
        if one.how is Halt.STOP:
            self._tree.resume()
        else:
            one.until_at = await self._start()
        self._halted = None
        one.tell(over=True)
        await self._answer_again()

    async def _answer_again(self) -> None:
        """Wait until it is ready.

        Raises:
            Lost: that took too long.
        """
        deadline = time.monotonic() + self._ready_timeout_s
        while await ask(self._port, self._ready) is not Answer.READY:
            self._check_alive("after it was halted")
            if time.monotonic() > deadline:
                raise Lost(f"did not answer at {self._ready} again within {self._ready_timeout_s:g} s")
            await asyncio.sleep(POLL_S)

    async def _end(self) -> None:
        """End every process, the halt that is on included, and see that nothing answers any more."""
        one, self._halted = self._halted, None
        if one is not None:
            one.tell(over=True)
        with contextlib.suppress(OSError):
            await self._tree.end(END_S)
        emit({"event": "stopped", "answers": not refuses(self._port)})
