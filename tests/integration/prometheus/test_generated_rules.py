"""Generated rules before a real promtool: it accepts them, and each alert fires when it should and not otherwise."""

import json
import subprocess
from itertools import product
from pathlib import Path

import pytest
from tests.integration.prometheus.worlds import World, promtool_test

from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.alerting.choices import Choices, read_choices
from alertdrill.alerting.limits import Limits
from alertdrill.alerting.profile import PROFILES
from alertdrill.alerting.rule_file import rule_file
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

NUMBER, CATEGORY = Feature(name="amount", kind=FeatureKind.NUMBER), Feature(name="country", kind=FeatureKind.CATEGORY)
HOSTILE = Feature(name='a "b" {c} \\ é', kind=FeatureKind.CATEGORY)
SCHEMAS = {
    "both": Schema(features=(NUMBER, CATEGORY)),
    "numbers": Schema(features=(NUMBER,)),
    "categories": Schema(features=(CATEGORY, HOSTILE)),
    "a hundred": Schema(features=tuple(Feature(name=f"f{i}", kind=FeatureKind.INTEGER) for i in range(100))),
}
ALL = read_choices(
    [
        "labels, predictions, accuracy_check, quality:auc>=0.85, quality:rmse<=3, proxy:click_through>=0.02",
        "business:conversion>=0.02,business:complaints<=0.05",
    ]
)


@pytest.mark.parametrize(("schema", "profile"), list(product(SCHEMAS, PROFILES)))
@pytest.mark.parametrize("choices", [Choices(), ALL], ids=["requests", "feedback"])
def test_promtool_finds_nothing_to_say(
    binaries: Binaries, tmp_path: Path, schema: str, profile: str, choices: Choices
) -> None:
    file = tmp_path / "rules.yml"
    limits = Limits(nulls="3%", malformed="0.5%", latency="1500ms", errors="12.5%", objective="99.95%")
    for tolerated in (Limits(), limits):
        file.write_text(rule_file(SCHEMAS[schema], profile, tolerated, choices, "https://wiki/runbooks/"))
        said = promtool(binaries, "check", "rules", "--lint=all", "--lint-fatal", str(file))
        assert said.returncode == 0, said.stderr + said.stdout
        assert "SUCCESS" in said.stdout


def for_seconds(name: str, *fires: str, gone: tuple[str, ...] = (), **then: float) -> World:
    return World(name, 1, 65, 25, then, frozenset(fires), gone)


DRILL = [
    for_seconds("healthy"),
    for_seconds("evidence at the threshold", "FeatureDrift", evidence=12.0),
    for_seconds("evidence below it", evidence=11.9),
    for_seconds("nulls", "FeatureNullRateHigh", nulls=0.2),
    for_seconds("few nulls", nulls=0.045),
    for_seconds("malformed", "MalformedRequestsHigh", malformed=0.1),
    for_seconds("hardly malformed", malformed=0.015),
    for_seconds("slow", "PredictionLatencyHigh", slow=0.3),
    for_seconds("hardly slow", slow=0.04),
    for_seconds("errors", "ErrorRateHigh", errors=0.2),
    for_seconds("few errors", errors=0.045),
    for_seconds("silence", "NoTraffic", rate=0.0),
    for_seconds("a trickle", rate=1.0),
    for_seconds("model down", "ModelDown", model_up=0.0),
    for_seconds("model gone", "ModelDown", gone=('job="model"',)),
    for_seconds("monitor down", "MonitorDown", monitor_up=0.0),
    for_seconds("monitor gone", "MonitorDown", "NoTraffic", gone=('job="monitor"',)),
    for_seconds("no labels", "NoLabels", labels=0.0),
    for_seconds("neither labels nor predictions", "NoTraffic", labels=0.0, rate=0.0),
    for_seconds("quality low", "ModelQualityLow", auc_low=0.7, auc_high=0.84),
    for_seconds("quality perhaps low", auc_low=0.7, auc_high=0.86),
    for_seconds("error of a regression high", "ModelQualityLow", rmse_low=3.1, rmse_high=3.6),
    for_seconds("error of a regression perhaps high", rmse_low=2.9, rmse_high=3.6),
    for_seconds("proxy low", "ProxyQualityLow", click_through=0.01),
    for_seconds("proxy at its bound", click_through=0.02),
    for_seconds("kpi low", "BusinessKpiOutOfBounds", conversion=0.01),
    for_seconds("kpi at its bound", conversion=0.02),
    for_seconds("kpi high", "BusinessKpiOutOfBounds", complaints=0.06),
    for_seconds("the store of labels cannot be read", "NoLabels", quality_unknown=1.0),
    for_seconds("predictions drift", "PredictionDrift", prediction_evidence=12.0),
    for_seconds("predictions hardly drift", prediction_evidence=11.9),
    for_seconds("the accuracy check fails", "AccuracyCheckBelow", check_below=1.0),
    for_seconds("rows repeat, all features drift a little", repeated_rows=1.0, global_evidence=10.0),
]
MINUTE, HOUR = 60, 3600


def for_an_hour(name: str, *fires: str, gone: tuple[str, ...] = (), until_min: int = 0, **then: float) -> World:
    """Twenty minutes of health, then seventy of something else, or until a minute; a sample every two minutes."""
    return World(name, 2 * MINUTE, 90 * MINUTE, 20 * MINUTE, then, frozenset(fires), gone, until_min * MINUTE)


def for_days(name: str, *fires: str, **then: float) -> World:
    """A day and a half of health, then as long of something else."""
    return World(name, 30 * MINUTE, 72 * HOUR, 36 * HOUR, then, frozenset(fires))


PRODUCTION = [
    for_an_hour("healthy"),
    for_an_hour("evidence at the threshold", "FeatureDrift", evidence=12.0),
    for_an_hour("evidence below it", evidence=11.9),
    for_an_hour("evidence that fell ten minutes ago", "FeatureDrift", evidence=12.0, until_min=80),
    for_an_hour("evidence that fell twenty minutes ago", evidence=12.0, until_min=70),
    for_an_hour("nulls", "FeatureNullRateHigh", nulls=0.2),
    for_an_hour("few nulls", nulls=0.045),
    for_an_hour("nulls in a handful of rows", nulls=0.2, rate=0.05),
    for_an_hour("malformed", "MalformedRequestsHigh", malformed=0.1),
    for_an_hour("hardly malformed", malformed=0.015),
    for_an_hour("a handful malformed", malformed=0.1, rate=0.05),
    for_an_hour("slow", "PredictionLatencyHigh", slow=0.3),
    for_an_hour("hardly slow", slow=0.04),
    for_an_hour("slow until ten minutes ago", slow=0.3, until_min=80),
    for_an_hour("slow for a handful", slow=0.3, rate=0.05),
    for_an_hour("errors", "ErrorRateHigh", "ErrorBudgetBurning", errors=0.04),
    for_an_hour("a budget that burns slowly", "ErrorBudgetBurning", errors=0.004),
    for_an_hour("errors that ended half an hour ago", "ErrorBudgetBurning", errors=0.04, until_min=56),
    for_an_hour("errors within the budget", errors=0.0009),
    for_an_hour("a handful of errors among few", errors=0.02, rate=0.05),
    for_an_hour("silence", "NoTraffic", rate=0.0),
    for_an_hour("a trickle", rate=0.05),
    for_an_hour("model down", "ModelDown", model_up=0.0, second_model_up=0.0),
    for_an_hour("one instance of two down", model_up=0.0),
    for_an_hour("model gone", "ModelDown", gone=('job="model"',)),
    for_an_hour("monitor down", "MonitorDown", monitor_up=0.0),
    for_an_hour("monitor gone", "MonitorDown", "NoTraffic", gone=('job="monitor"',)),
    for_an_hour("monitor fails", "MonitorFailing", monitor_errors=0.01),
    for_an_hour("monitor drops", "MonitorFailing", monitor_dropped=0.01),
    for_an_hour("evidence is old", "MonitorFailing", evidence_age_s=700.0),
    for_an_hour("evidence is a minute old", evidence_age_s=60.0),
    for_days("no labels", "NoLabels", labels=0.0),
    for_an_hour("no labels for an hour", labels=0.0),
    for_an_hour("quality low", "ModelQualityLow", auc_low=0.7, auc_high=0.84),
    for_an_hour("quality perhaps low", auc_low=0.7, auc_high=0.86),
    for_an_hour("error of a regression high", "ModelQualityLow", rmse_low=3.1, rmse_high=3.6),
    for_an_hour("proxy low", "ProxyQualityLow", click_through=0.01),
    for_an_hour("kpi low", "BusinessKpiOutOfBounds", conversion=0.01),
    for_an_hour("kpi high", "BusinessKpiOutOfBounds", complaints=0.06),
    for_an_hour("rows repeat", "DriftWatchDoubtful", repeated_rows=1.0),
    for_an_hour("predictions depend on those before", "DriftWatchDoubtful", dependent_predictions=1.0),
    for_an_hour("few first answers", few_answers=1.0),
    for_an_hour("all features drift a little", "InputDrift", global_evidence=10.0),
    for_an_hour("all features hardly drift", global_evidence=9.9),
    for_an_hour("the store of labels cannot be read", "NoLabels", quality_unknown=1.0, until_min=0),
    for_an_hour("predictions drift", "PredictionDrift", prediction_evidence=12.0),
    for_an_hour("predictions that drifted ten minutes ago", "PredictionDrift", prediction_evidence=12.0, until_min=80),
    for_an_hour("the accuracy check fails", "AccuracyCheckBelow", check_below=1.0),
]


@pytest.mark.parametrize(("profile", "worlds"), [("drill", DRILL), ("production", PRODUCTION)])
def test_each_alert_fires_when_it_should_and_not_otherwise(
    binaries: Binaries, tmp_path: Path, profile: str, worlds: list[World]
) -> None:
    fired = {name for world in worlds for name in world.fires}
    text = rule_file(SCHEMAS["both"], profile, choices=ALL)
    assert fired == {line.split()[-1] for line in text.splitlines() if line.startswith("      - alert: ")}
    (tmp_path / "rules.yml").write_text(text)
    together: dict[tuple[int, int, int], list[World]] = {}
    for world in worlds:
        if not world.alone:
            together.setdefault(world.times, []).append(world)
    for group in [*together.values(), *([world] for world in worlds if world.alone)]:
        step = group[0].step_s
        content = {"rule_files": ["rules.yml"], "evaluation_interval": f"{step}s", "tests": [promtool_test(group)]}
        file = tmp_path / "tests.yml"
        file.write_text(json.dumps(content))
        said = promtool(binaries, "test", "rules", str(file))
        assert said.returncode == 0, said.stdout + said.stderr


def promtool(binaries: Binaries, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(binaries.promtool.path), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
