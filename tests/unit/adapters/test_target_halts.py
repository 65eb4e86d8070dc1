import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from alertdrill.adapters.drill_processes import EventJournal
from alertdrill.adapters.target_halts import TargetHalts
from alertdrill.core import journal as records
from alertdrill.core.faults.catalogue import KINDS


class Keeper:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []

    def send(self, command: Mapping[str, Any]) -> None:
        self.told.append(command)


def halts(kind: str = "pause", share: float = 1.0) -> tuple[TargetHalts, Keeper]:
    fault = KINDS[kind].model_validate({"kind": kind, "share": share})
    injection = SimpleNamespace(id="p/x", fault=fault, share=share)
    plan = SimpleNamespace(segment_injections=lambda k: (injection,) if k == 3 else ())
    keeper = Keeper()
    return TargetHalts(plan, keeper), keeper


async def test_a_halt_begins_with_its_segment_and_ends_with_the_next() -> None:
    one, keeper = halts("kill")
    for k, at in ((2, 10.0), (3, 20.0), (4, 30.0), (5, 40.0)):
        one.announce(k, at)
    assert keeper.told == [
        {"do": "halt", "injection": "p/x", "k": 3, "how": "kill", "at": 20.0},
        {"do": "restore", "at": 30.0},
    ]


async def test_the_target_is_whole_again_once_it_answers() -> None:
    one, _ = halts()
    assert one.whole()
    one.announce(3, 20.0)
    one.restored()  # of an earlier one
    assert not one.whole()
    one.let_go(25.0)
    assert not one.whole()
    one.restored()
    assert one.whole()


async def test_at_the_end_what_is_halted_is_let_go_and_waited_for() -> None:
    one, keeper = halts()
    one.announce(3, 20.0)
    asyncio.get_running_loop().call_later(0.01, one.restored)
    await one.confirm(5.0)
    assert one.whole()
    assert keeper.told[-1]["do"] == "restore"
    one.announce(3, 30.0)
    await one.confirm(0.01)
    assert not one.whole()


async def test_a_control_halts_nothing() -> None:
    one, keeper = halts(share=0.0)
    one.announce(3, 20.0)
    assert keeper.told == []
    assert one.whole()


@pytest.mark.parametrize(("until_at", "last"), [(None, 10.0), (15.0, 15.0)])
def test_what_a_keeper_saw_is_journaled_and_counts_as_the_last_effect(until_at: float | None, last: float) -> None:
    class Written(list[records.Record]):
        write = list.append

    written = Written()
    events = EventJournal(SimpleNamespace(segments=()), written)
    said = {"injection": "p/x", "k": 3, "pids": [7, 8], "from_at": 10.0, "until_at": until_at, "why": ""}
    events.of_keeper({"event": "halted", **said})
    (record,) = written
    assert record.model_dump(exclude={"at", "record"}) == said | {"pids": (7, 8)}
    assert events.last_touched == last
