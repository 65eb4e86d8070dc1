import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.adapters.scenario_trees import damaged_texts, is_read, mutated_trees, values, write_fragments, written

EXAMPLES = 10_000
SLOWEST_S = 1.0

broken_scenarios = (
    mutated_trees().map(lambda tree: ("mutated tree", written(tree)))
    | damaged_texts().map(lambda text: ("damaged text", text))
    | values.map(lambda tree: ("random tree", written(tree)))
    | st.binary().map(lambda text: ("random bytes", text))
)


@pytest.mark.timeout(3600)
def test_ten_thousand_broken_scenarios_are_read_or_refused(tmp_path: Path, keep: Callable[[Any], None]) -> None:
    write_fragments(tmp_path)
    read: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    seconds: list[float] = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(broken_scenarios)
    def read_or_refuse(scenario: tuple[str, bytes]) -> None:
        kind, text = scenario
        started = time.process_time()
        (read if is_read(tmp_path, text) else refused)[kind] += 1
        seconds.append(time.process_time() - started)

    read_or_refuse()
    keep(
        {
            "examples": len(seconds),
            "read": dict(read),
            "refused": dict(refused),
            "slowest_s": round(max(seconds), 3),
            "median_s": round(sorted(seconds)[len(seconds) // 2], 5),
        }
    )
    assert len(seconds) >= EXAMPLES
    assert max(seconds) < SLOWEST_S
