import asyncio
import time

import pytest

from alertdrill.adapters.alert_receiver import AlertReceiver
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.core.observations import AlertPost

# Two seconds on, two off, by the engine's own clock: nothing has to be scraped.
RULES = """
      - record: flip:on
        expr: vector(1) and on() (vector(time() % 4) < 2)
      - alert: Flipping
        expr: flip:on == 1
        for: 400ms
        labels: {severity: P1}
        annotations: {summary: it flips}
"""
FIRING = 'ALERTS{alertname="Flipping",alertstate="firing"}[1m]'


async def test_rules_samples_clock_and_posts_of_a_real_engine_agree(binaries, rules):
    posts: list[AlertPost] = []
    resolved = asyncio.Event()

    def take(post: AlertPost) -> None:
        posts.append(post)
        if any(alert.status == "resolved" for alert in post.alerts):
            resolved.set()

    file = rules(RULES, "rules[1].yml")
    async with AlertReceiver(take) as receiver:
        prometheus = await start_prometheus(
            binaries.prometheus.path,
            rule_files=[file],
            evaluation_interval_s=0.2,
            alertmanagers=[receiver.address],
        )
        try:
            async with PrometheusApi(prometheus.url) as api, asyncio.timeout(30):
                await _reads_what_was_loaded(api, str(file), binaries.prometheus.version_text)
                await _clock_is_ours(api)
                await resolved.wait()
                await _posts_agree_with_samples(api, posts)
                await _refusals_are_told(api)
        finally:
            await prometheus.stop()


async def _reads_what_was_loaded(api: PrometheusApi, file: str, version: str) -> None:
    assert await api.ready()
    assert (await api.build_version()).startswith(version)
    assert (await api.settings()).evaluation_interval_s == 0.2
    assert (await api.flags())["web.enable-lifecycle"] == "true"
    (group,) = await api.rules()
    record, alert = group.rules
    assert (group.file, group.name, group.interval_s) == (file, "g", 0.2)
    assert (record.type, record.name) == ("recording", "flip:on")
    assert (alert.name, alert.query, alert.for_s, alert.labels) == ("Flipping", "flip:on == 1", 0.4, {"severity": "P1"})
    assert alert.annotations == {"summary": "it flips"}
    metrics = await api.self_metrics()
    assert metrics.last_reload_succeeded is True
    assert metrics.process_start is not None
    assert abs(metrics.process_start - time.time()) < 30
    assert list(metrics.missed_iterations) == [f"{file};g"]


async def _clock_is_ours(api: PrometheusApi) -> None:
    reading = await api.clock()
    assert reading.error_s < 0.05
    assert abs(reading.offset_s) <= reading.error_s


async def _posts_agree_with_samples(api: PrometheusApi, posts: list[AlertPost]) -> None:
    resolved = next(alert for post in posts for alert in post.alerts if alert.status == "resolved")
    (series,) = await api.raw(FIRING)
    assert series.labels["severity"] == "P1"
    assert resolved.labels == {"alertname": "Flipping", "severity": "P1"}
    times = series.times_ms.tolist()
    assert resolved.starts_at_ms in times, "the first firing sample has the instant of startsAt, to the millisecond"
    assert resolved.ends_at_ms is not None
    before = max(t for t in times if t < resolved.ends_at_ms)
    assert resolved.ends_at_ms == before + 200, "resolved one interval after the last firing sample"
    post = next(post for post in posts if resolved in post.alerts)
    assert 0 <= post.received_at * 1000 - resolved.ends_at_ms < 2000
    assert set(series.values.tolist()) == {1.0}


async def _refusals_are_told(api: PrometheusApi) -> None:
    with pytest.raises(QueryFailed, match="parse error") as error:
        await api.instant("up{")
    assert error.value.kind == "refused"
    with pytest.raises(QueryFailed) as error:
        await api.raw("vector(1)")
    assert error.value.kind == "garbage"
    assert await api.instant("absent_metric") == []
    assert await api.raw("absent_metric[1m]") == []
    assert await api.instant("time()", at=1790000000.1234) == [({}, 1790000000.123)]


async def test_a_prometheus_that_goes_away_is_never_an_empty_answer(binaries):
    prometheus = await start_prometheus(binaries.prometheus.path)
    async with PrometheusApi(prometheus.url) as api:
        assert await api.instant("vector(1)") == [({}, 1.0)]
        assert await api.rules() == []
        await prometheus.stop()
        for ask in (
            lambda: api.instant("vector(1)"),
            lambda: api.raw("up[1m]"),
            api.rules,
            api.ready,
            api.self_metrics,
        ):
            with pytest.raises(QueryFailed) as error:
                await ask()
            assert error.value.kind in ("unreachable", "garbage")


async def test_many_queries_at_once_are_all_answered(binaries):
    prometheus = await start_prometheus(binaries.prometheus.path)
    try:
        async with PrometheusApi(prometheus.url) as api:
            answers = await asyncio.gather(*(api.instant(f"vector({n})") for n in range(100)))
            assert [answer[0][1] for answer in answers] == list(range(100))
    finally:
        await prometheus.stop()
