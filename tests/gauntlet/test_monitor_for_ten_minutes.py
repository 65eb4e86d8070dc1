"""The monitor at 1,000 requests a second for ten minutes, everything on: all is counted, and memory does not grow."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import httpx
import numpy as np
import psutil
import pytest

from tests.gauntlet.answering import Answering
from tests.integration.load_process import FAULT_PHASE, SCHEMA, loading, make_plan
from tests.integration.monitor_process import running, values_of

RATE_PER_S = 1000
LASTS_S = 600.0
SETTLED_S = 150.0  # by then the store, the log and every window have been full for a while
EVERY_S = 5.0
LABELS_AT_A_TIME = 250
MOST_MB_A_MINUTE = 1.0
FAULTS = (
    {"kind": "nulls", "features": ["f1"], "share": "5%"},
    {"kind": "unseen_category", "features": ["colour"], "share": "5%"},
    {"kind": "extra_field", "share": "5%"},
    {"kind": "malformed_json", "share": "2%"},
)


class Model(Answering):
    """Gives every prediction an id of its own."""

    newest: ClassVar[deque[int]] = deque(maxlen=5 * RATE_PER_S)

    def answer(self) -> bytes:
        n = self.count
        self.newest.append(n)
        body = b'{"prediction_id":"p%d","score":%.3f,"label":%d}' % (n, n % 997 / 997, n % 2)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return head % len(body) + body


def options(folder: Path, model_port: int) -> list[str]:
    """Of a monitor with everything on whose store and log are full within the first two minutes."""
    (folder / "schema.json").write_text(SCHEMA.model_dump_json())
    return [
        *("--upstream", f"http://127.0.0.1:{model_port}", "--schema", str(folder / "schema.json")),
        *("--reference", str(folder / "sample.csv"), "--dependencies", "store"),
        *("--log", str(folder / "predictions.jsonl"), "--log-max-bytes", "4000000", "--log-files", "3"),
        *("--truth-store", str(folder / "truth.db"), "--truth-rows", "40000", "--truth-every", "5s"),
    ]


@pytest.mark.timeout(2 * LASTS_S)
async def test_ten_minutes_of_monitoring_at_1000_a_second_keep_the_memory(
    tmp_path: Path, keep: Callable[[Any], None]
) -> None:
    make_plan(tmp_path, f"{RATE_PER_S}/s", arrivals="poisson", faults=FAULTS, broken_s=LASTS_S)
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", 0, backlog=1024)
    argv = options(tmp_path, server.sockets[0].getsockname()[1])
    seconds, memory_mb = [], []
    with running(["-m", "alertdrill.lifeline", "-m", "alertdrill.monitor", *argv]) as monitor:
        url = f"http://127.0.0.1:{monitor.port}"
        process = psutil.Process(monitor.process.pid)
        async with loading(tmp_path, url) as load, httpx.AsyncClient(base_url=url, timeout=10.0) as client:
            await load.saw("ready")
            at = load.segment(FAULT_PHASE)
            load.do(do="close", at=at + LASTS_S)
            while time.time() + EVERY_S < at + LASTS_S:
                await asyncio.sleep(EVERY_S)
                known = list(Model.newest)[::20][:LABELS_AT_A_TIME]
                truth = [{"id": f"p{number}", "label": number % 3 % 2} for number in known]
                assert (await client.post("/feedback", content=json.dumps(truth))).status_code == 202
                assert (await client.get("/metrics")).status_code == 200
                seconds.append(time.time() - at)
                memory_mb.append(process.memory_info().rss / 1e6)
                load.events[:] = [one for one in load.events if one["event"] not in ("sent", "touched", "answered")]
            await load.saw("ended")
            (closed,) = load.of("closed")
            seen = values_of((await client.get("/metrics")).text)
    server.close()
    settled = np.array(seconds) > SETTLED_S
    slope = float(np.polyfit(np.array(seconds)[settled] / 60, np.array(memory_mb)[settled], 1)[0])
    counted = sum(value for key, value in seen.items() if key[0] == "model_requests_total")
    keep(
        {
            "mb_a_minute": round(slope, 3),
            "mb": [round(memory_mb[0], 1), round(max(memory_mb), 1), round(memory_mb[-1], 1)],
            "sent": closed["sent"],
            "counted": counted,
            "joined": sum(value for key, value in seen.items() if key[0] == "model_labels_total"),
            "unread": seen["model_truth_unread_total", "queue_full"],
            "dropped": seen["model_monitor_dropped_total",],
            "errors": seen["model_monitor_errors_total",],
        }
    )
    assert counted == closed["sent"] == Model.count
    assert seen["model_monitor_dropped_total",] == seen["model_monitor_errors_total",] == 0
    assert seen["model_truth_unread_total", "queue_full"] == 0
    assert slope < MOST_MB_A_MINUTE
