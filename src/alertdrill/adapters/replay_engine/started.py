"""The engine of a replay, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.expansion import Expander
from alertdrill.adapters.replay_engine.process import start_replay_prometheus

STOP_S = 1.0


@asynccontextmanager
async def started_engine(
    program: Path, *, evaluation_interval_s: float, lookback_s: float, external_labels: Mapping[str, str]
) -> AsyncIterator[HttpEngine]:
    """A fresh engine with the settings of the one that is replayed; it ends with the block.

    Args:
        program: a Prometheus of the same major version.
        evaluation_interval_s: that of groups without one of their own.
        lookback_s: how long the engine takes a sample for current that no marker ends.
        external_labels: that templates can read.

    Raises:
        ProcessFailed: it cannot be started.
    """
    server = await start_replay_prometheus(
        program,
        evaluation_interval_s=evaluation_interval_s,
        lookback_s=lookback_s,
        external_labels=external_labels,
    )
    expander = Expander(program, external_labels, asyncio.get_running_loop())
    engine = HttpEngine(server.url, expander.expand)
    try:
        yield engine
    finally:
        engine.close()
        await expander.close()
        await server.stop(timeout_s=STOP_S)
