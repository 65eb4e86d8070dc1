"""Starts the throw-away Prometheus of a replay: no scrapes, no rules, one block for all of time."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.server_process import START_TIMEOUT_S, ServerProcess, spawn

FLAGS = (
    "--web.listen-address=127.0.0.1:0",
    "--web.enable-remote-write-receiver",
    "--storage.tsdb.min-block-duration=2000h",
    "--storage.tsdb.max-block-duration=2000h",
    "--storage.tsdb.retention.time=100y",
    "--query.timeout=10m",
    "--log.format=json",
)


SPARING: Mapping[str, str] = {"GOGC": "25"}
"""Collects garbage four times as often: a third of the memory less, a fifth more time."""


class ReplayPrometheus(ServerProcess):
    """A Prometheus that holds what a replay writes to it, until `stop`."""

    name = "prometheus (for a replay)"


async def start_replay_prometheus(
    prometheus: Path,
    *,
    evaluation_interval_s: float,
    lookback_s: float,
    external_labels: Mapping[str, str],
    rules: str = "",
) -> ReplayPrometheus:
    """Start one on a free port of 127.0.0.1. Call it from the main thread.

    Args:
        prometheus: the program.
        evaluation_interval_s: the step of subqueries that state none.
        lookback_s: how long a sample counts that no marker ends.
        external_labels: what templates of labels can name.
        rules: text of a rule file; without, it evaluates none.

    Raises:
        ServerFailed: it ended, or was not ready in time.
    """
    scratch = Scratch("alertdrill-replay-")
    server: ReplayPrometheus | None = None
    try:
        (scratch.path / "rules.yml").write_text(rules)
        general = {
            "evaluation_interval": _duration(evaluation_interval_s),
            "external_labels": dict(external_labels),
        }
        (scratch.path / "prometheus.yml").write_text(json.dumps({"global": general, "rule_files": ["rules.yml"]}))
        command = [
            str(prometheus),
            f"--config.file={scratch.path / 'prometheus.yml'}",
            f"--storage.tsdb.path={scratch.path / 'data'}",
            f"--query.lookback-delta={_duration(lookback_s)}",
            *FLAGS,
        ]
        server = ReplayPrometheus(await spawn(command, scratch.path, {**os.environ, **SPARING}), scratch)
        await server.wait_until_ready(START_TIMEOUT_S)
    except BaseException:
        if server is None:
            scratch.remove()
        else:
            await server.stop(timeout_s=0.5)
        raise
    return server


def _duration(duration_s: float) -> str:
    return f"{round(duration_s * 1000)}ms"
