import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.alerting.models import BOTH, CATEGORIES, EVERYTHING, NUMBERS

from alertdrill.alerting.choices import Choices
from alertdrill.alerting.limits import Limits
from alertdrill.alerting.profile import PROFILES
from alertdrill.alerting.rule_file import rule_file
from alertdrill.core.promql import parse, selectors

CHECKOUT = Path(__file__).parents[3]
RULES = CHECKOUT / "targets" / "fraud" / "rules"
HEADINGS = ["What it means", "First three checks", "Decision tree", "How to roll back"]
FEEDBACK = re.compile(r"model_(label|quality|proxy|business|accuracy|prediction_)")

# What drills and scenarios rely on.
DRILL_ALERTS = {
    "FeatureDrift": (None, "P1", "cause", "data"),
    "FeatureNullRateHigh": ("2s", "P1", "cause", "data"),
    "MalformedRequestsHigh": ("2s", "P2", "cause", "data"),
    "PredictionLatencyHigh": ("3s", "P1", "symptom", "system"),
    "ErrorRateHigh": ("3s", "P0", "symptom", "system"),
    "NoTraffic": ("5s", "P1", "symptom", "business"),
    "ModelDown": ("2s", "P0", "symptom", "system"),
    "MonitorDown": ("2s", "P1", "cause", "system"),
}
DRILL_RECORDS = [
    "model:feature_null:ratio_rate5s",
    "model:malformed_requests:ratio_rate5s",
    "model:request_errors:ratio_rate5s",
    "model:requests:rate5s",
    "model:request_duration_seconds:p95_rate10s",
    "model:request_duration_seconds:p95_rate4s",
    "model:feature_mean_shift:sd_rate5s",
    "model:feature_rows:increase5s",
    "model:feature_share:rate5s",
    "model:feature_psi:rate5s",
]


def groups(text: str) -> Any:
    return yaml.safe_load(text)["groups"]


def rules(text: str, kind: str = "") -> list[Any]:
    return [rule for group in groups(text) for rule in group["rules"] if kind in rule or not kind]


def test_the_drill_profile_has_the_names_and_times_that_drills_rely_on() -> None:
    text = (RULES / "alerts.drill.yml").read_text()
    [group] = groups(text)
    assert group["name"] == "model-drill"
    assert [rule["record"] for rule in rules(text, "record")] == DRILL_RECORDS
    labels = ("severity", "type", "pillar")
    found = {r["alert"]: (r.get("for"), *(r["labels"][name] for name in labels)) for r in rules(text, "alert")}
    assert found == DRILL_ALERTS


def test_the_limits_of_the_drill_profile_are_those_of_its_runbooks() -> None:
    exprs = {rule["alert"]: rule["expr"] for rule in rules((RULES / "alerts.drill.yml").read_text(), "alert")}
    assert exprs["FeatureNullRateHigh"] == "model:feature_null:ratio_rate5s > 0.05"
    assert exprs["MalformedRequestsHigh"] == "model:malformed_requests:ratio_rate5s > 0.02"
    assert exprs["ErrorRateHigh"] == "model:request_errors:ratio_rate5s > 0.05"
    long, short = "model:request_duration_seconds:p95_rate10s", "model:request_duration_seconds:p95_rate4s"
    assert exprs["PredictionLatencyHigh"] == f"{long} > 0.25 and {short} > 0.25"


@pytest.mark.parametrize(("schema", "profile"), list(product((BOTH, NUMBERS, CATEGORIES), PROFILES)))
def test_recordings_come_before_the_alerts_of_their_group_and_before_what_reads_them(schema: Any, profile: Any) -> None:
    recorded: set[str] = set()
    every = {rule["record"] for rule in rules(rule_file(schema, profile), "record")}
    for group in groups(rule_file(schema, profile)):
        kinds = ["record" in rule for rule in group["rules"]]
        assert kinds == sorted(kinds, reverse=True)
        for rule in group["rules"]:
            assert {s.name for s in selectors(rule["expr"])} & every <= recorded
            recorded |= {rule["record"]} if "record" in rule else set()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("choices", [Choices(), EVERYTHING])
def test_everything_is_promql_and_every_alert_says_all_that_it_should(profile: Any, choices: Choices) -> None:
    text = rule_file(BOTH, profile, choices=choices)
    for rule in rules(text):
        parse(rule["expr"])
    alerts = rules(text, "alert")
    for rule in alerts:
        assert {"severity", "type", "pillar"} <= rule["labels"].keys()
        assert {"summary", "description", "runbook_url"} == rule["annotations"].keys()
    names = [(rule["alert"], *sorted(rule["labels"].items())) for rule in alerts]
    assert len(set(names)) == len(names)
    assert {rule["alert"] for rule in alerts if rule["labels"]["severity"] == "P0"} == {"ErrorRateHigh", "ModelDown"}


def test_both_profiles_have_the_same_alerts_but_for_those_that_need_days() -> None:
    drill, production = ({r["alert"]: r["labels"] for r in rules(rule_file(BOTH, p), "alert")} for p in PROFILES)
    assert production.keys() - drill.keys() == {
        "ErrorBudgetBurning", "MonitorFailing", "InputDrift", "DriftWatchDoubtful",
    }  # fmt: skip
    assert {name: production[name] for name in drill} == drill


@pytest.mark.parametrize("profile", PROFILES)
def test_without_a_choice_no_rule_needs_feedback(profile: Any) -> None:
    assert not FEEDBACK.search(rule_file(BOTH, profile))
    assert FEEDBACK.search(rule_file(BOTH, profile, choices=EVERYTHING))


@pytest.mark.parametrize("profile", PROFILES)
def test_means_are_recorded_of_watched_numbers_only(profile: Any) -> None:
    assert "model_feature_sum" in rule_file(NUMBERS, profile)
    assert "model_feature_sum" not in rule_file(CATEGORIES, profile)


def test_limits_go_where_they_belong() -> None:
    limits = Limits(nulls=0.11, malformed=0.12, latency="1300ms", errors=0.14, objective="99.5%")
    drill, production = (rule_file(BOTH, profile, limits) for profile in PROFILES)
    for text in (drill, production):
        assert "> 0.11" in text
        assert "> 0.12" in text
        assert "> 1.3" in text
        assert "11% are tolerated" in " ".join(text.split())
        assert "1.3 s are tolerated" in " ".join(text.split())
    assert "> 0.14" in drill
    assert "> 14.4 * 0.005" in production


@pytest.mark.parametrize("profile", PROFILES)
def test_every_runbook_is_there_with_its_headings_and_the_alerts_labels(profile: Any) -> None:
    for rule in rules(rule_file(BOTH, profile, choices=EVERYTHING), "alert"):
        page = CHECKOUT / rule["annotations"]["runbook_url"]
        lines = page.read_text().splitlines()
        labels = rule["labels"]
        assert lines[0] == f"# {rule['alert']}"
        assert lines[2] == f"{labels['severity']} · {labels['type']} · {labels['pillar']}", page
        assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == HEADINGS, page
        checks = lines[lines.index("## First three checks") : lines.index("## Decision tree")]
        assert [line[:3] for line in checks if re.match(r"\d+\. ", line)] == ["1. ", "2. ", "3. "], page


def test_every_runbook_belongs_to_an_alert() -> None:
    named = {r["alert"] for p in PROFILES for r in rules(rule_file(BOTH, p, choices=EVERYTHING), "alert")}
    assert {page.stem for page in (CHECKOUT / "docs" / "runbooks").glob("*.md")} == named


def test_recorded_names_and_links_of_runbooks_exist() -> None:
    recorded = {rule["record"] for p in PROFILES for rule in rules(rule_file(BOTH, p), "record")}
    for page in (CHECKOUT / "docs" / "runbooks").glob("*.md"):
        text = page.read_text()
        assert set(re.findall(r"model:[a-z_]+:[a-z0-9_]+", text)) <= recorded, page
        assert all((page.parent / link).is_file() for link in re.findall(r"\]\((\w+\.md)\)", text)), page
