"""The load at 2,000 requests a second for ten minutes: nothing is lost, and memory does not grow."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.gauntlet.answering import Answering
from tests.integration.load_process import FAULT_PHASE, OK, loading, make_plan

RATE_PER_S = 2000
LASTS_S = 600.0
SETTLED_S = 60.0
EVERY_S = 5.0
MOST_MB_A_MINUTE = 1.0


class Empty(Answering):
    """Says 200 and nothing more."""

    def answer(self) -> bytes:
        return OK


@pytest.mark.timeout(2 * LASTS_S)
async def test_ten_minutes_at_2000_a_second_lose_nothing_and_keep_the_memory(
    tmp_path: Path, keep: Callable[[Any], None]
) -> None:
    make_plan(tmp_path, f"{RATE_PER_S}/s", arrivals="poisson", broken_s=LASTS_S)
    server = await asyncio.get_running_loop().create_server(Empty, "127.0.0.1", 0, backlog=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    seconds, memory_mb = [], []
    async with loading(tmp_path, url) as load:
        await load.saw("ready")
        process = psutil.Process(load.pid)
        at = load.segment(FAULT_PHASE)
        load.do(do="close", at=at + LASTS_S)
        while time.time() + EVERY_S < at + LASTS_S:
            await asyncio.sleep(EVERY_S)
            seconds.append(time.time() - at)
            memory_mb.append(process.memory_info().rss / 1e6)
            cpu_s = sum(process.cpu_times()[:2])
            load.events[:] = [event for event in load.events if event["event"] not in ("sent", "touched", "answered")]
        await load.saw("ended")
        (closed,) = load.of("closed")
        drained = [event for event in load.events if event["event"] == "drained"]
    server.close()
    settled = np.array(seconds) > SETTLED_S
    slope = float(np.polyfit(np.array(seconds)[settled] / 60, np.array(memory_mb)[settled], 1)[0])
    answered = closed["answered"] + sum(event["answered"] for event in drained)
    failed = closed["failed"] + sum(event["failed"] for event in drained)
    keep(
        {
            "mb_a_minute": round(slope, 3),
            "mb": [round(memory_mb[0], 1), round(memory_mb[-1], 1)],
            "sent": closed["sent"],
            "scheduled": closed["scheduled"],
            "answered": answered,
            "failed": failed,
            "error_p50_s": closed["error_p50_s"],
            "error_p99_s": closed["error_p99_s"],
            "cpu_us_a_request": round(cpu_s / closed["sent"] * 1e6, 1),
        }
    )
    assert closed["sent"] == closed["scheduled"] == answered + failed == Empty.count
    assert slope < MOST_MB_A_MINUTE
