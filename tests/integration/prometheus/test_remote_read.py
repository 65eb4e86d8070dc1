"""Raw samples with their staleness markers, from a Prometheus that holds just what a test wrote to it."""

import time

import numpy as np

from alertdrill.adapters.alert_source import PrometheusSource
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import STALE, is_stale

EXTERNAL = {"cluster": "eu"}


async def test_samples_come_with_markers_and_labels_as_they_are_stored(binaries) -> None:
    """A label that the engine adds to what it sends is taken away; the same label of a series' own stays."""
    now_ms = round(time.time()) * 1000
    times = np.array([now_ms - 3000, now_ms - 2000, now_ms - 1000], dtype=np.int64)
    values = np.array([0.0, 1.5, STALE])
    server = await start_replay_prometheus(
        binaries.prometheus.path, evaluation_interval_s=1.0, lookback_s=300.0, external_labels=EXTERNAL
    )
    engine = HttpEngine(server.url, lambda labels, samples: [])
    try:
        engine.write([RawSeries({"__name__": "x"}, times, values)])
        engine.write([RawSeries({"__name__": "y", "cluster": "eu"}, times, values)])
        async with PrometheusApi(server.url) as api:
            found = await _read(PrometheusSource(api, lambda: True, EXTERNAL), now_ms)
            assert [one.labels for one in found] == [{"__name__": "x"}, {"__name__": "y", "cluster": "eu"}]
            for one in found:
                assert one.times_ms.tolist() == times.tolist()
                assert is_stale(one.values).tolist() == [False, False, True]
                assert one.values[:2].tolist() == [0.0, 1.5]
            closed = PrometheusSource(api, lambda: True, None)  # where nobody knows what the engine adds
            (by_query,) = await closed.raw("x", now_ms / 1000 - 10, now_ms / 1000)
            assert not closed.marks
            assert by_query.times_ms.tolist() == times[:2].tolist()
    finally:
        engine.close()
        await server.stop()


async def _read(source: PrometheusSource, now_ms: int) -> list[RawSeries]:
    found = [one for name in ("x", "y") for one in await source.raw(name, now_ms / 1000 - 10, now_ms / 1000)]
    assert source.marks
    return found
