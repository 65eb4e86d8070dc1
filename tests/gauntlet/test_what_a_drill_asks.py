"""The load that a drill puts on a team's own Prometheus, counted by what stands in front of it."""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.gauntlet.sabotages import SOUND, Broken, Rule, Stack, drilled

pytestmark = pytest.mark.timeout(600)
A_SECOND, AT_THE_END = 2.0, 100


def test_a_drill_asks_two_cheap_questions_a_second_at_most_and_a_hundred_at_its_end(tmp_path: Path) -> None:
    asked: list[tuple[float, str]] = []

    async def listen(stack: Stack) -> None:
        stack.asked.asked = asked
        await asyncio.Event().wait()

    stop = 'stop_conditions:\n  - {query: \'up{job="monitor"}\', is: "== 0", no_data: ignore, for: 5s}'
    rules = {"Sound": Rule(SOUND), **{f"Other{n}": Rule(f"{SOUND} + {n}", "1h") for n in range(50)}}
    drill = drilled(
        tmp_path,
        Broken(
            rules,
            expected=("Sound",),
            during=listen,
            interval="10s",
            fault_s=50,
            asks="labels: {feature: amount, severity: P1}, within: 45s",
            more=stop,
        ),
    )
    assert drill.exit_code == 0, drill.output
    journal = [json.loads(line) for line in (drill.folder / "journal.jsonl").read_text().splitlines()]
    began = next(one["at"] for one in journal if one["record"] == "segment_started")
    ended = max(one["at"] for one in journal if one["record"] == "segment_closed")
    during = [target for at, target in asked if began <= at < ended]
    at_the_end = [target for at, target in asked if at >= ended]
    kinds = Counter(re.sub(r"[&?](time|start|end)=[^&]*", "", target)[:60] for target in during)
    print(f"{len(during)} questions in {ended - began:.1f} s, {len(at_the_end)} at the end: {kinds.most_common()}")
    assert len(during) <= A_SECOND * (ended - began)
    assert 0 < len(at_the_end) <= AT_THE_END
