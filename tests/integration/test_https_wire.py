"""An https target through the whole line: load, edge proxy, monitor and the proxy behind it, as a drill starts them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from certificates import Authority
from load_process import FAULT_PHASE, SCHEMA, Target, make_plan, serving, until

from alertdrill.adapters import processes
from alertdrill.adapters.drill_processes import EventJournal, LoadProcess
from alertdrill.adapters.target import PreparedTarget
from alertdrill.compose.crew import ALONE
from alertdrill.compose.wire import Wire
from alertdrill.core import journal as records
from alertdrill.core.faults.base import Place
from alertdrill.core.plan import Plan
from alertdrill.core.touch import Touch
from alertdrill.protocols.rows import parse_csv
from alertdrill.tls import TlsSettings

LATE = {"kind": "latency", "delay": "150ms", "share": "20%"}


@dataclass
class Kept:
    """A journal in memory."""

    kept: list[Any] = field(default_factory=list)
    posts: tuple[records.Post, ...] = ()

    def write(self, record: Any) -> None:
        self.kept.append(record)

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.kept if isinstance(record, kind)]


def _target(folder: Path, url: str, tls: TlsSettings) -> PreparedTarget:
    sample = folder / "sample.csv"
    rows = parse_csv(sample.read_text(), SCHEMA)
    return PreparedTarget("model", "1", SCHEMA, sample, rows, "", url=url, tls=tls)


@asynccontextmanager
async def _line(folder: Path, plan: Plan, target: PreparedTarget, monitored: bool) -> AsyncIterator[tuple[Any, Kept]]:
    """All that stands between load and target, and the load; the address of the monitor is with it."""
    journal = Kept()
    events = EventJournal(plan, journal)
    wire = Wire(target, ALONE, None, folder, lambda _: None)
    try:
        url = await wire.model(None)
        url = await wire.proxied(plan, folder / "plan.json", Place.MODEL, url, events)
        monitor = url = await wire.monitor(url, exact=True) if monitored else url
        url = await wire.proxied(plan, folder / "plan.json", Place.EDGE, url, events)
        load = await wire.load(folder / "plan.json", url, events, None, None)
        yield (LoadProcess(load, events), load, wire, monitor), journal
    finally:
        await processes.stop_all(wire.children)


@pytest.mark.parametrize(
    ("place", "monitored"),
    [
        (None, False),
        pytest.param("edge", False, marks=pytest.mark.long),
        pytest.param("edge", True, marks=pytest.mark.long),
        ("model", True),
        pytest.param(None, True, marks=pytest.mark.long),
    ],
    ids=["load", "edge proxy", "edge proxy and monitor", "monitor and proxy", "monitor"],
)
async def test_a_drill_of_an_https_target_keeps_to_its_plan_wherever_tls_begins(
    place: str | None, monitored: bool, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    faults = [] if place is None else [{**LATE, "place": place}]
    plan = make_plan(tmp_path, "100/s", "poisson", faults=faults or [{**LATE, "share": "0%", "place": "edge"}])
    if place is None:
        plan = plan.model_copy(update={"injections": ()})
        (tmp_path / "plan.json").write_text(plan.model_dump_json())
    async with serving(Target(), authority.server("localhost")) as server:
        url = server.url.replace("127.0.0.1", "localhost") + "/models/a"
        target = _target(tmp_path, url, TlsSettings(ca=authority.ca))
        async with _line(tmp_path, plan, target, monitored) as ((load, child, wire, monitor), journal):
            load.announce(FAULT_PHASE, time.time() + 0.2)
            await asyncio.sleep(1.7)
            load.close(time.time())
            assert await load.ended(15.0)
            assert child.exit_code == 0
            for proxy in wire.proxies:
                proxy.send({"do": "flush"})
                await proxy.event("flushed", 5.0)
            if monitored:
                async with httpx.AsyncClient() as client:
                    seen = (await client.get(f"{monitor}/metrics")).text
    (closed,) = journal.of(records.SegmentClosed)
    drained = journal.of(records.SegmentDrained)
    answered = closed.answered + sum(one.answered for one in drained)
    assert (answered, closed.failed) == (closed.sent, 0)
    assert closed.sent == closed.scheduled > 100
    assert sorted((one.k, one.i) for one in server.arrived) == [(FAULT_PHASE, i) for i in range(closed.sent)]
    assert {one.headers[b"host"] for one in server.arrived} == {url.split("/")[2].encode()}
    if place is not None:
        planned = Touch(plan).mask(plan.injections[0], 0, closed.sent).nonzero()[0].tolist()
        assert sorted(i for one in journal.of(records.Touched) for i in one.i) == planned != []
        assert {code for one in journal.of(records.Served) for code in one.code} == {200}
    if monitored:
        counted = [line for line in seen.splitlines() if line.startswith("model_requests_total{") and "200" in line]
        assert [line.split()[-1] for line in counted] == [str(closed.sent)]


async def test_what_becomes_untrusted_behind_a_proxy_is_502_to_the_load(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    plan = make_plan(tmp_path, "50/s", faults=[{**LATE, "place": "edge"}])
    async with serving(Target(), authority.server(expired=True)) as server:
        target = _target(tmp_path, server.url, TlsSettings(ca=authority.ca))
        async with _line(tmp_path, plan, target, False) as ((load, *_), journal):
            load.announce(FAULT_PHASE, time.time() + 0.2)
            await until(lambda: bool(journal.of(records.Served)))
            load.close(time.time())
            assert await load.ended(15.0)
    assert not server.arrived
    assert {code for one in journal.of(records.Served) for code in one.code} == {502}
