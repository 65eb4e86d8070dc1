"""A whole drill on a team's own Prometheus of each version that Debian has: the same verdicts from all of them."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alertdrill.adapters.prometheus_install import ensure_prometheus
from tests.e2e.drills import ALERTDRILL, Drill, run, scenario
from tests.e2e.own_stack import own_stack
from tests.gauntlet.debian_suites import prometheus_of

NOWHERE = "{url: 'http://127.0.0.1:9'}"
PHASES = """\
  - {name: baseline, duration: 10s}
  - name: drift
    duration: 20s
    end_when: decided
    faults: [{kind: mean_shift, features: [amount], by: 1sd, share: 100%}]
    expect: [{alert: FeatureDrift, labels: {feature: amount}, within: 15s, resolves_within: 30s}]
  - name: nulls
    duration: 20s
    end_when: decided
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: 15s, resolves_within: 30s}]
    must_not_fire: [{alert: PredictionLatencyHigh}]
  - name: malformed
    duration: 20s
    end_when: decided
    faults: [{kind: malformed_json, share: 10%}]
    expect: [{alert: MalformedRequestsHigh, within: 15s, resolves_within: 30s}]
    must_not_fire: [{alert: FeatureDrift}]
  - name: too-few
    duration: 10s
    faults: [{kind: nulls, features: [amount], share: 1%}]
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: 8s}]
"""
VERDICTS = {
    "drift/FeatureDrift": ("detected", None),
    "nulls/FeatureNullRateHigh": ("detected", None),
    "malformed/MalformedRequestsHigh": ("detected", None),
    "too-few/FeatureNullRateHigh": ("missed", "never_pending"),
}


def drilled(directory: Path, program: Path) -> Drill:
    """The drill, on a stack whose Prometheus runs before it comes."""
    bundled = Path(scenario(directory, PHASES))
    text = bundled.read_text()

    async def drill() -> Drill:
        async with own_stack(directory, bundled, program=program) as own:
            path = directory / "own.yaml"
            path.write_text(own.scenario(text, NOWHERE))
            return await asyncio.to_thread(run(directory, str(path), "--prometheus", own.prometheus).ended)

    return asyncio.run(drill())


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("suite", "version"), [("here", ""), ("trixie", "2.53."), ("sid", "3.")], ids=["here", "trixie", "sid"]
)
def test_a_prometheus_of_each_version_gives_the_same_verdicts(
    suite: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Callable[[Any], None]
) -> None:
    work = tmp_path / "apt"
    work.mkdir()
    program = ensure_prometheus().prometheus.path if suite == "here" else prometheus_of(suite, work, monkeypatch)
    drill = drilled(tmp_path, program)
    result = drill.result
    names = ("verdict", "ttd_s", "floor_s", "expected_s", "worst_s")
    keep(
        {
            "prometheus": result["environment"]["prometheus"],
            "verdict": result["verdict"],
            "expectations": {one["id"]: {name: one[name] for name in names} for one in result["expectations"]},
            "prohibitions": [one["verdict"] for one in result["prohibitions"]],
            "clock": result["clock"],
        }
    )
    assert result["environment"]["prometheus"].startswith(version)
    found = {one["id"]: (one["verdict"], (one["reason"] or {}).get("code")) for one in result["expectations"]}
    assert found == VERDICTS, drill.output
    assert [one["verdict"] for one in result["prohibitions"]] == ["quiet", "quiet"]
    assert (result["verdict"], drill.exit_code, result["false_alarms"]) == ("failed", 1, [])
    for one in result["expectations"][:3]:
        assert one["floor_s"] <= one["ttd_s"] <= one["worst_s"]
        assert round(sum(hop["seconds"] for hop in one["waterfall"]), 3) == one["ttd_s"]
    before = (drill.folder / "result.json").read_bytes()
    done = subprocess.run([*ALERTDRILL, "check", str(drill.folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, (drill.folder / "result.json").read_bytes()) == (1, before), done.stdout
    assert not (drill.folder / "result.diff.json").exists()
