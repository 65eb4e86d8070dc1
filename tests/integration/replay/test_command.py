"""`alertdrill replay` over the recording of a drill that lives in the repository."""

import gzip
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from alertdrill.cli import replay as command
from alertdrill.core.errors import BadInput
from alertdrill.core.revision import revision

ROOT = Path(__file__).parents[3]
RECORDING = ROOT / "recordings" / "seed-disaster"
RULES = ROOT / "targets" / "fraud" / "rules" / "alerts.drill.yml"
NULLS = "nulls/FeatureNullRateHigh"
MALFORMED = "malformed/MalformedRequestsHigh"
SLOW = "slow/PredictionLatencyHigh"
DRIFT = "drift/FeatureDrift"
MALFORMED_RATE = "expr: model:malformed_requests:ratio_rate5s > 0.02"
NULL_RATE = "expr: model:feature_null:ratio_rate5s > 0.05"


def replay(
    folder: Path,
    rules: Path,
    recording: Path = RECORDING,
    against: Path | None = None,
    fail_on: str = "lost,false-alarm",
) -> tuple[int, str, dict[str, Any]]:
    """Exit code, what was printed, and the JSON.

    Raises:
        BadInput: the command would exit with 2.
    """
    file, shown = folder / "replay.json", io.StringIO()
    bases = None if against is None else [against]
    console = Console(file=shown, width=200)
    code = command.replay(console, [recording], [rules], bases, fail_on, file, quiet=True)
    return code, shown.getvalue(), json.loads(file.read_text())


def edited(folder: Path, *changes: tuple[str, str]) -> Path:
    """The rules with some text replaced, each once."""
    text = RULES.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "rules.yml"
    file.write_text(text)
    return file


def changes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (one,) = found["recordings"]
    return {change["id"]: change for change in one["changes"]}


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    return {name: change["outcome"] for name, change in changes(found).items()}


def test_the_drill_s_own_rules_give_the_verdicts_and_instants_of_the_live_drill(tmp_path: Path) -> None:
    file = tmp_path / "replay.json"
    arguments = ["replay", str(RECORDING), "--rules", str(RULES), "--json", str(file)]
    done = subprocess.run([sys.executable, "-m", "alertdrill", *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(file.read_text())
    assert found["counts"]["kept"] == 4 == sum(found["counts"].values())
    (one,) = found["recordings"]
    assert one["notes"] == []
    live = json.loads((RECORDING / "result.json").read_text())
    differ = revision(live, one["result"])
    assert differ is not None
    fields = {re.sub(r"\[.*?\]", "", change.field) for change in differ.changes}
    told = {"notified_at", "notification", "notified_receivers", "notify_s", "ttn_s", "notifies_within_s"}
    not_replayed = {f"expectations.{name}" for name in told} | {"expectations.evidence.notification.posted_at"}
    assert fields <= {"mode", "second_witness", "expectations.evidence.rule.file"} | not_replayed


def test_each_outcome_is_named_with_its_cause_by_file_and_line(tmp_path: Path) -> None:
    began = json.loads((RECORDING / "result.json").read_text())["expectations"][0]["fault_start"]
    quiet = f"(model:request_duration_seconds:p95_rate4s > 0 and on () (vector(time()) > {began - 6} < {began - 1.6}))"
    slow = "and model:request_duration_seconds:p95_rate4s > 0.25"
    file = edited(
        tmp_path,
        (NULL_RATE, "expr: model:feature_null:ratio_rate5s > 0.5"),
        (f"{MALFORMED_RATE}\n        for: 2s", f"{MALFORMED_RATE}\n        for: 4s"),
        ("expr: model_drift_evidence >= model_drift_threshold", "expr: model_drift_evidence >= model_drift_elsewhere"),
        (slow, f"{slow} or {quiet}"),
    )
    code, said, found = replay(tmp_path, file)
    assert code == 1
    told = outcomes(found)
    assert [told[NULLS], told[MALFORMED], told[SLOW], told[DRIFT]] == ["lost", "slower", "kept", "undecided"]
    assert [outcome for name, outcome in told.items() if name.startswith("PredictionLatencyHigh{")] == [
        "new_false_alarm"
    ]
    lost, slower, unsure = (changes(found)[name] for name in (NULLS, MALFORMED, DRIFT))
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "ratio_rate5s > 0.5" in text)
    assert lost["causes"] == [f"{file}:{line} 0.05→0.5"]
    assert lost["reason"]["code"] == "never_pending"
    assert round(slower["ttd_after_s"] - slower["ttd_before_s"], 3) == 2.0
    assert slower["causes"][0].endswith("for 2s→4s")
    assert unsure["reason"]["code"] == "series_not_recorded"
    assert "model_drift_elsewhere" in unsure["reason"]["text"]
    assert f"lost {NULLS}: detected after" in said
    assert "new false alarm PredictionLatencyHigh{" in said


def test_rules_can_be_compared_with_other_rules_and_slower_can_fail(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    edited(base, ("for: 2s", "for: 3s"), (NULL_RATE, "expr: model:feature_null:ratio_rate5s > 0.04"))
    later = edited(
        tmp_path, ("for: 2s", "for: 4s"), (NULL_RATE, "expr: model:feature_null:ratio_rate5s offset -1s > 0.05")
    )
    code, _, found = replay(tmp_path, later, against=base, fail_on="nothing")
    assert code == 3
    assert found["against"] == [str(base)]
    assert changes(found)[NULLS]["reason"]["code"] == "not_replayable"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rate(x[5m]) keep_last_value > 1", "invalid promql"),
        ("rollup_rate(x[5m]) > 1", "unknown function"),
        ("double_exponential_smoothing(model_requests_total[5s], 0.5, 0.5) > 1", "that Prometheus 2"),
        ("x >", "invalid promql"),
    ],
)
def test_rules_that_the_engine_would_not_load_are_bad_input(tmp_path: Path, text: str, said: str) -> None:
    file = edited(tmp_path, (NULL_RATE, f"expr: {text}"))
    with pytest.raises(BadInput) as refused:
        replay(tmp_path, file)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def truncated(folder: Path) -> None:
    whole = (folder / "samples.json.gz").read_bytes()
    (folder / "samples.json.gz").write_bytes(whole[: len(whole) // 2])


def edited_samples(folder: Path) -> None:
    text = gzip.decompress((folder / "samples.json.gz").read_bytes())
    (folder / "samples.json.gz").write_bytes(gzip.compress(text.replace(b'"to_ms":17', b'"to_ms":18', 1)))


def edited_journal(folder: Path) -> None:
    text = (folder / "journal.jsonl").read_text()
    (folder / "journal.jsonl").write_text(text.replace('"sent":', '"sent":1', 1))


def edited_plan(folder: Path) -> None:
    text = (folder / "plan.json").read_text()
    (folder / "plan.json").write_text(text.replace('"seed": 42', '"seed": 43', 1))


def other_version(folder: Path) -> None:
    text = gzip.decompress((folder / "samples.json.gz").read_bytes())
    (folder / "samples.json.gz").write_bytes(gzip.compress(text.replace(b"samples/v2", b"samples/v9")))


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize("broken", [truncated, edited_samples, edited_journal, edited_plan, other_version, empty])
def test_a_recording_that_is_not_as_a_drill_left_it_is_bad_input(tmp_path: Path, broken: Any) -> None:
    folder = Path(shutil.copytree(RECORDING, tmp_path / "copy"))
    broken(folder)
    with pytest.raises(BadInput) as refused:
        replay(tmp_path, RULES, folder)
    assert str(folder) in str(refused.value)
    assert "fix: " in str(refused.value)


def test_options_that_mean_nothing_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="write slower"):
        replay(tmp_path, RULES, fail_on="slowr")
    with pytest.raises(BadInput, match="no such file"):
        replay(tmp_path, tmp_path / "none.yml")
    with pytest.raises(BadInput, match="an empty folder"):
        replay(tmp_path, tmp_path)
