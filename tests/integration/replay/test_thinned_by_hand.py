"""A thinned recording in a real engine, beside one that holds each k-th scrape, picked by hand."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from alertdrill.adapters.prometheus_major import prometheus_of_major
from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.expansion import Expander
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.compose.recorded import read_recorded
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import STALE, is_stale, label_key
from alertdrill.core.replay.evidence import scraped_series
from alertdrill.core.replay.thinning import thinned

RECORDING = Path(__file__).parents[3] / "recordings" / "seed-disaster"
EVERY = 2
QUERIES = (
    'sum by (feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))',
    "sum by (feature) (rate(model_feature_values_total[5s]))",
    "model_drift_evidence >= model_drift_threshold",
    "histogram_quantile(0.95, sum by (le) (rate(model_request_duration_seconds_bucket[10s])))",
    "count_over_time(up[7s])",
    "changes(model_requests_total[9s])",
    "timestamp(model_requests_total)",
    'absent(up{job="monitor"} == 1)',
    "count(model_requests_total)",
)


def with_an_outage(series: Iterable[RawSeries], first_ms: int, last_ms: int) -> list[RawSeries]:
    """The recording, had the monitor not answered for a while: `up` is 0, and all else of it is marked and gone."""
    found = []
    for one in series:
        inside = (one.times_ms >= first_ms) & (one.times_ms < last_ms)
        if one.labels["job"] == "monitor" and inside.any():
            values = one.values.copy()
            if one.labels["__name__"] == "up":
                values[inside] = 0.0
            elif one.labels["__name__"] != "scrape_duration_seconds":
                values[np.flatnonzero(inside)[0]] = STALE
                keep = ~inside
                keep[np.flatnonzero(inside)[0]] = True
                found.append(RawSeries(one.labels, one.times_ms[keep], values[keep]))
                continue
            one = RawSeries(one.labels, one.times_ms, values)
        found.append(one)
    return found


def by_hand(series: Iterable[RawSeries]) -> list[RawSeries]:
    """Each second scrape of every target: samples at its instants, and markers where one lacks what the last had."""
    series = list(series)
    scrapes = {
        (one.labels["job"], one.labels["instance"]): [
            at for at, gone in zip(one.times_ms.tolist(), is_stale(one.values).tolist(), strict=True) if not gone
        ][::EVERY]
        for one in series
        if one.labels["__name__"] == "up"
    }
    found = []
    for one in series:
        live = {
            at: value
            for at, value, gone in zip(one.times_ms.tolist(), one.values.tolist(), is_stale(one.values), strict=True)
            if not gone
        }
        samples, there = [], False
        for at in scrapes[one.labels["job"], one.labels["instance"]]:
            if at in live:
                samples.append((at, live[at]))
            elif there:
                samples.append((at, STALE))
            there = at in live
        times = np.array([at for at, _ in samples], dtype=np.int64)
        found.append(RawSeries(one.labels, times, np.array([value for _, value in samples], dtype=np.float64)))
    return [one for one in found if len(one.times_ms)]


async def answers(series: list[RawSeries], first_ms: int, last_ms: int, program: Path) -> list[object]:
    server = await start_replay_prometheus(program, evaluation_interval_s=1.0, lookback_s=300.0, external_labels={})
    engine = HttpEngine(server.url, Expander(program, {}, asyncio.get_running_loop()).expand)
    try:
        await asyncio.to_thread(engine.write, series)
        found = [await asyncio.to_thread(engine.over, query, first_ms, last_ms, 1000) for query in QUERIES]
    finally:
        engine.close()
        await server.stop(timeout_s=1.0)
    return [
        sorted((label_key(one.labels), one.times_ms.tolist(), one.values.tobytes()) for one in each) for each in found
    ]


async def test_a_thinned_recording_with_an_outage_answers_as_each_second_scrape_does() -> None:
    recorded = read_recorded(RECORDING)
    middle = (recorded.recording.from_ms + recorded.recording.to_ms) // 2
    series = with_an_outage(scraped_series(recorded.case), middle, middle + 9_500)
    program = prometheus_of_major("2", str(RECORDING)).prometheus.path
    first, last = recorded.recording.from_ms + 607, recorded.recording.to_ms
    kept = [one for one in thinned(series, 1000 * EVERY) if len(one.times_ms)]
    fewer = await answers(kept, first, last, program)
    assert fewer == await answers(by_hand(series), first, last, program)
    every = await answers(series, first, last, program)
    assert [one != other for one, other in zip(fewer, every, strict=True)] == [True] * len(QUERIES)
