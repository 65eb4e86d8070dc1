"""Drills whose Prometheus has replicas: real pairs, asked one by one or through one store, whole and sabotaged."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import ManagedPrometheus, start_prometheus
from tests.e2e.drills import BUNDLED_RULES, Drill, Running, run, scenario
from tests.e2e.own_stack import REPLICA_LABEL, OwnStack, own_stack

NULLS = """\
  - name: nulls
    duration: 12s
    end_when: decided
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: 10s, resolves_within: 20s}]
    must_not_fire: [{alert: PredictionLatencyHigh}]
"""
Change = Callable[[str], str]
HEARD_S = 30.0


async def _nothing(running: Running, own: OwnStack) -> None:
    return None


def _rules(directory: Path, change: Change) -> Path:
    """Rules of the second replica, at a path of their own: their evaluations come at another phase."""
    path = directory / "replica.yml"
    path.write_text(change(BUNDLED_RULES.read_text()))
    return path


def _pair(
    directory: Path,
    change: Change = lambda text: text,
    meanwhile: Callable[[Running, OwnStack], Awaitable[None]] = _nothing,
) -> Drill:
    """A drill on two Prometheis, the second with changed rules, while something happens to them."""
    bundled = Path(scenario(directory, NULLS))
    text = bundled.read_text()

    async def drill() -> Drill:
        async with own_stack(directory, bundled, [BUNDLED_RULES, _rules(directory, change)]) as own:
            _, second = own.replicas
            reached = f"{{url: {own.prometheus}, replicas: [{second.url}], replica_label: {REPLICA_LABEL}}}"
            path = directory / "pair.yaml"
            path.write_text(own.scenario(text, reached))
            running = run(directory, str(path))
            await meanwhile(running, own)
            return await asyncio.to_thread(running.ended)

    return asyncio.run(drill())


def pair(directory: Path) -> Drill:
    """Both watch, at phases of their own."""
    return _pair(directory)


def pair_with_other_rules(directory: Path) -> Drill:
    """The second replica was left behind when the threshold was changed."""
    return _pair(directory, lambda text: text.replace("ratio_rate5s > 0.05", "ratio_rate5s > 0.95"))


def pair_half_killed(directory: Path) -> Drill:
    """The second dies when the fault begins."""

    async def kill(running: Running, own: OwnStack) -> None:
        await asyncio.to_thread(running.wait_for, "phase nulls")
        await own.replicas[1].stop()

    return _pair(directory, meanwhile=kill)


def one_store(directory: Path) -> Drill:
    """Two replicas write to one Prometheus, which evaluates the rules over the series of both, each alone."""
    bundled = Path(scenario(directory, NULLS))
    text = bundled.read_text()
    rules = directory / "rules.yml"
    rules.write_text(BUNDLED_RULES.read_text().replace("sum by (model, ", f"sum by ({REPLICA_LABEL}, model, "))

    async def drill() -> Drill:
        program = ensure_prometheus().prometheus.path
        none = directory / "none.yml"
        none.write_text("groups: []\n")
        async with AsyncExitStack() as stack:
            store = await start_prometheus(program, rule_files=[rules], flags=["--web.enable-remote-write-receiver"])
            stack.push_async_callback(store.stop)
            own = await stack.enter_async_context(own_stack(directory, bundled, [none, none]))
            for number, one in enumerate(own.replicas):
                _writing_to(store, next((directory / f"replica-{number}").glob("*/prometheus.yml")))
                await _reload(one.url)
            await _heard_of_both(store.url)
            reached = f"{{url: {store.url}, replica_label: {REPLICA_LABEL}, scrape_interval: 1s}}"
            path = directory / "store.yaml"
            path.write_text(own.scenario(text, reached))
            return await asyncio.to_thread(run(directory, str(path)).ended)

    return asyncio.run(drill())


def _writing_to(store: ManagedPrometheus, file: Path) -> None:
    """Have a configuration write all samples to a store, at once."""
    to = {"url": f"{store.url}/api/v1/write", "queue_config": {"batch_send_deadline": "100ms"}}
    file.write_text(json.dumps({**json.loads(file.read_text()), "remote_write": [to]}))


async def _heard_of_both(url: str) -> None:
    """Wait until a store has samples of both replicas, as one that has stood for a while has."""
    question = {"query": f"count(count by ({REPLICA_LABEL}) (up{{{REPLICA_LABEL}!=''}}))"}
    async with asyncio.timeout(HEARD_S), httpx.AsyncClient() as client:
        while True:
            answer = (await client.get(f"{url}/api/v1/query", params=question)).json()["data"]["result"]
            if answer and answer[0]["value"][1] == "2":
                return
            await asyncio.sleep(0.05)


async def _reload(url: str) -> None:
    async with httpx.AsyncClient() as client:
        (await client.post(f"{url}/-/reload")).raise_for_status()
