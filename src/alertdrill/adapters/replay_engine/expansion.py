"""Has a Prometheus expand the templates of rules' labels: Go's formats are not Python's (1e6 is 1e+06 there)."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from alertdrill.adapters.replay_engine.engine import HttpEngine, ReplayFailed
from alertdrill.adapters.replay_engine.process import ReplayPrometheus, start_replay_prometheus
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import LabelKey

ID = "alertdrill_id"
EVERY_S = 0.1
DEADLINE_S = 30.0
POLL_S = 0.02


class Expander:
    """Expands templates, a Prometheus for each rule that has some: every sample is a series with an id, and fires.

    Call `expand` from threads other than that of `loop`.

    Args:
        prometheus: the program.
        external_labels: what templates can name.
        loop: runs in the main thread, which starts processes.
    """

    def __init__(self, prometheus: Path, external_labels: Mapping[str, str], loop: asyncio.AbstractEventLoop) -> None:
        self._prometheus, self._external_labels, self._loop = prometheus, external_labels, loop
        self._running: dict[str, tuple[ReplayPrometheus, HttpEngine]] = {}
        self._ids = itertools.count()
        self._starting = threading.Lock()

    async def close(self) -> None:
        """End what was started."""
        for server, engine in self._running.values():
            engine.close()
            await server.stop(timeout_s=1.0)

    def expand(self, labels: Mapping[str, str], samples: Sequence[tuple[LabelKey, float]]) -> list[dict[str, str]]:
        """The templates of a rule's labels for samples that it returned, one mapping for each.

        Raises:
            ReplayFailed: they were not expanded in time.
        """
        with self._starting:
            engine = self._engine(labels)
        ids = [str(next(self._ids)) for _ in samples]
        now_ms = np.array([round(time.time() * 1000)], dtype=np.int64)
        engine.write(
            [
                RawSeries({"__name__": "alertdrill_sample", **dict(key), ID: one}, now_ms, np.array([value]))
                for one, (key, value) in zip(ids, samples, strict=True)
            ]
        )
        found = self._wait(engine, set(ids))
        return [{name: found[one].get(name, "") for name in labels} for one in ids]

    def _wait(self, engine: HttpEngine, ids: set[str]) -> dict[str, Mapping[str, str]]:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            series = engine.at("ALERTS", round(time.time() * 1000))
            found = {one.labels[ID]: one.labels for one in series if one.labels.get(ID) in ids}
            if found.keys() == ids:
                return found
            time.sleep(POLL_S)
        raise ReplayFailed(f"templates of labels were not expanded within {DEADLINE_S:g} s\n  fix: replay again")

    def _engine(self, labels: Mapping[str, str]) -> HttpEngine:
        written = json.dumps(dict(labels), sort_keys=True)
        if written not in self._running:
            rule = {"alert": "Expanded", "expr": f'{{{ID}!=""}}', "labels": dict(labels)}
            rules = {"groups": [{"name": "expand", "interval": f"{round(EVERY_S * 1000)}ms", "rules": [rule]}]}
            starting = start_replay_prometheus(
                self._prometheus,
                evaluation_interval_s=EVERY_S,
                lookback_s=DEADLINE_S * 2,
                external_labels=self._external_labels,
                rules=json.dumps(rules),
            )
            server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
            self._running[written] = server, HttpEngine(server.url, self.expand)
        return self._running[written][1]
