"""A load that several processes share: real Locust master and workers against a real server on loopback."""

import asyncio
from pathlib import Path

from load_process import FAULT_PHASE, PHASE, Target, loading, make_plan, serving


async def test_a(tmp_path: Path) -> None:
    make_plan(tmp_path, "200/s", "poisson")
    async with serving(Target()) as target, loading(tmp_path, target.url, workers=2) as load:
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(1.0)
        load.segment(FAULT_PHASE)
        await asyncio.sleep(1.2)
        await load.close(after_s=0.2)
    for e in load.events:
        print(e)
    print((tmp_path / "load.log").read_text())
    print((tmp_path / "worker-0.log").read_text())
