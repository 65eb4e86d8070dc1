"""The states of alerts that replays work out, beside those that Prometheus's own code does."""

import json
import random
import subprocess
from pathlib import Path

import numpy as np

from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.core.recording import is_stale, label_key
from alertdrill.core.replay.alert_state import AlertState

CASES = 60
SECONDS = 40


def test_alerts_are_pending_and_fire_when_promtool_says(tmp_path: Path) -> None:
    """60 rules with all kinds of `for` and `keep_firing_for` over conditions that come and go, each second."""
    draw = random.Random(8)
    holds = [[draw.random() < draw.choice((0.3, 0.7, 0.9)) for _ in range(SECONDS)] for _ in range(CASES)]
    times = [(draw.randrange(5), draw.randrange(5)) for _ in range(CASES)]
    rules = [
        {"alert": f"A{n}", "expr": f"x{n} == 1", "for": f"{hold}s", "keep_firing_for": f"{keep}s"}
        for n, (hold, keep) in enumerate(times)
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    series = [{"series": f"x{n}", "values": " ".join(str(int(on)) for on in one)} for n, one in enumerate(holds)]
    expected = [
        {"expr": "ALERTS", "eval_time": f"{at}s", "exp_samples": [{"labels": _text(one), "value": 1} for one in seen]}
        for at, seen in enumerate(_ours(holds, times))
    ]
    test = {"interval": "1s", "input_series": series, "promql_expr_test": expected}
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1s", "tests": [test]}))
    promtool = ensure_prometheus().promtool.path
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.stdout + done.stderr)[:2000]


def _ours(holds: list[list[bool]], times: list[tuple[int, int]]) -> list[list[tuple[tuple[str, str], ...]]]:
    """By second the label sets of ALERTS."""
    found: list[list[tuple[tuple[str, str], ...]]] = [[] for _ in range(SECONDS)]
    at_ms = np.arange(SECONDS, dtype=np.int64) * 1000
    for n, (one, (hold, keep)) in enumerate(zip(holds, times, strict=True)):
        state = AlertState(hold * 1000, keep * 1000, {})
        for series in state.series(at_ms, {label_key({"alertname": f"A{n}"}): np.array(one)}):
            if series.labels["__name__"] == "ALERTS":
                for at in series.times_ms[~is_stale(series.values)].tolist():
                    found[at // 1000].append(label_key(series.labels))
    return found


def _text(labels: tuple[tuple[str, str], ...]) -> str:
    return "ALERTS{" + ",".join(f'{name}="{value}"' for name, value in labels if name != "__name__") + "}"
