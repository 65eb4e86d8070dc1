"""What a replay writes to its Prometheus and asks of it, several requests at a time."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.replay_engine.engine import AT_ONCE, HttpEngine, ReplayFailed
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.adapters.replay_engine.remote_write import MOST_SAMPLES
from alertdrill.core.observations import RawSeries

BEGIN_MS = 1_790_000_000_000
EACH = MOST_SAMPLES + 7
"""So that every series takes more than one request."""


@pytest.fixture
async def engine() -> AsyncIterator[HttpEngine]:
    prometheus = ensure_prometheus().prometheus.path
    server = await start_replay_prometheus(prometheus, evaluation_interval_s=1.0, lookback_s=300.0, external_labels={})
    asked = HttpEngine(server.url, lambda labels, samples: [])
    try:
        yield asked
    finally:
        asked.close()
        await server.stop(timeout_s=1.0)


async def test_many_samples_are_all_there_and_tasks_come_back_in_order(engine: HttpEngine) -> None:
    times = BEGIN_MS + np.arange(EACH, dtype=np.int64) * 1000
    engine.write([RawSeries({"__name__": "x", "n": str(n)}, times, np.arange(EACH) * 1.0) for n in range(AT_ONCE + 1)])
    whole = f"[{EACH}s]"
    found = engine.together(
        [lambda n=n: engine.at(f'count_over_time(x{{n="{n}"}}{whole})', int(times[-1])) for n in range(AT_ONCE + 1)]
    )
    assert [(one.labels, one.values.tolist()) for (one,) in found] == [({"n": str(n)}, [EACH]) for n in range(3)]


async def test_the_first_task_that_fails_is_what_is_raised(engine: HttpEngine) -> None:
    def fails() -> None:
        raise ReplayFailed("first")

    with pytest.raises(ReplayFailed, match="first"):
        engine.together([fails, lambda: None, fails])
