"""Rules and dashboards ask for nothing that the monitor does not export for the schema: names, label values, labels."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.prometheus.metrics_page import PAGE, page
from tests.integration.prometheus.watched_model import watched, watched_in_all_ways, with_truth
from tests.unit.alerting.models import BOTH, CATEGORIES, EVERYTHING, NUMBERS
from tests.unit.dashboards.test_boards import filled

from alertdrill.alerting.choices import Choices
from alertdrill.alerting.profile import PROFILES
from alertdrill.alerting.rule_file import rule_file
from alertdrill.core.promql import Matcher, selectors
from alertdrill.dashboards.boards import boards

SCHEMAS = {"both": BOTH, "numbers": NUMBERS, "categories": CATEGORIES}
Series = Mapping[str, list[dict[str, str]]]

# From the engine itself.
ENGINE: Series = {
    "up": [{"job": job, "instance": "x"} for job in ("monitor", "model")],
    "ALERTS": [
        {"alertname": "A", "alertstate": "firing", "model": "fraud", "severity": severity, "pillar": pillar}
        for severity, pillar in product(("P0", "P1", "P2"), ("data", "model", "system", "business"))
    ],
}
OF_THE_TARGET = {"model_fallback_total"}


def series_of(text: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append({**sample.labels, "job": "monitor", "instance": "monitor:1"})
    return found


@pytest.fixture(scope="module")
def exposition(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a monitor exports that is given all there is."""
    with watched_in_all_ways(tmp_path_factory.mktemp("all"), BOTH) as running:
        return running.text()


@pytest.fixture(scope="module")
def everything(exposition: str, tmp_path_factory: pytest.TempPathFactory) -> Series:
    """The same by name, and the quality of a regression besides."""
    found = series_of(exposition)
    folder = tmp_path_factory.mktemp("regression")
    with watched(folder, BOTH, *with_truth(folder), "--truth-task", "regression") as running:
        running.ask(20)
        running.tell(range(20))
        running.text_when("model_quality_low{")
        for name, series in series_of(running.text()).items():
            if name.startswith("model_quality"):
                found[name] = [*found[name], *series]
    return found


@pytest.fixture(scope="module", params=SCHEMAS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Series]:
    """A schema, and the series of its monitor by name."""
    schema = SCHEMAS[request.param]
    with watched(tmp_path_factory.mktemp("monitor"), schema) as running:
        return schema, {**series_of(running.text()), **ENGINE}


@pytest.mark.parametrize("profile", PROFILES)
def test_rules_ask_for_nothing_else(exported: tuple[Any, Series], everything: Series, profile: Any) -> None:
    schema, series = exported
    assert strangers(rule_file(schema, profile), series) == []
    assert strangers(rule_file(schema, profile, choices=EVERYTHING), {**everything, **series}) == []


def test_dashboards_ask_for_nothing_else(exported: tuple[Any, Series], everything: Series) -> None:
    schema, series = exported
    for choices, known in ((Choices(), series), (EVERYTHING, {**everything, **series})):
        for board in boards("fraud", schema, choices).values():
            for query in (query for row in board.rows for panel in row.panels for query in panel.queries):
                expr = filled(query.expr).replace('feature="amount"', 'feature=~".+"')
                assert list(in_expression(expr, known, {})) == [], query.expr
                assert list(in_legend(query.legend, expr, known)) == [], query.legend


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("model_drift_evidence >=", "model_drift_evidense >="),
        ('cell=~"null|missing"', 'cell=~"null|mising"'),
        ('code=~"5.."', 'code=~"5..."'),
        ('up{job="model"}', 'up{job="modell"}'),
        ("> 0.05", "> 0.05 and model:feature_null:ratio_rate6s > 0"),
        ("by (model, version, feature, cell)", "by (model, version, feature, sell)"),
        ("$labels.feature }} of", "$labels.featur }} of"),
        ("model_feature_sum", "model_feature_total"),
        ("model_quality_high", "model_quality_upper"),
        ('metric="auc"', 'metric="roc"'),
        ("model_business_kpi", "model_kpi"),
    ],
)
def test_whatever_is_misspelt_is_found(
    exported: tuple[Any, Series], everything: Series, right: str, wrong: str
) -> None:
    schema, series = exported
    text = rule_file(schema, "drill", choices=EVERYTHING)
    if schema is CATEGORIES and right == "model_feature_sum":
        assert right not in text
        return
    assert right in text
    assert strangers(text.replace(right, wrong), {**everything, **series})


def strangers(text: str, series: Series) -> list[str]:
    """What rules read, group by or speak of that does not exist."""
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    recorded = {rule["record"]: rule["expr"] for rule in rules if "record" in rule}
    return [wrong for rule in rules for wrong in in_rule(rule, series, recorded)]


def in_rule(rule: Any, series: Series, recorded: Mapping[str, str]) -> Iterator[str]:
    yield from in_expression(rule["expr"], series, recorded)
    labels = {*labels_of(rule["expr"], series, recorded), *rule.get("labels", {})}
    for text in rule.get("annotations", {}).values():
        yield from (
            f"{rule['alert']}: label {name}" for name in re.findall(r"\$labels\.(\w+)", text) if name not in labels
        )


def in_expression(expr: str, series: Series, recorded: Mapping[str, str]) -> Iterator[str]:
    for selector in selectors(expr):
        if selector.name in recorded:
            continue
        found = series.get(selector.name)
        if found is None:
            yield f"metric {selector.name}"
            continue
        for matcher in selector.matchers:
            yield from (f"{selector.name}: {one}" for one in alternatives(matcher) if not any(map(one.matches, found)))
    known = labels_of(expr, series, recorded)
    for names in re.findall(r"\b(?:by|on) \(([^)]*)\)", expr):
        yield from (f"label {name} in {expr}" for name in names.split(", ") if name and name not in known)


def in_legend(legend: str, expr: str, series: Series) -> Iterator[str]:
    known = labels_of(expr, series, {})
    yield from (name for name in re.findall(r"\{\{(\w+)\}\}", legend) if name not in known)


def alternatives(matcher: Matcher) -> Iterable[Matcher]:
    """A matcher for each value that a pattern allows: all of them must exist."""
    if matcher.op != "=~":
        return (matcher,)
    return (Matcher(matcher.label, "=~", value) for value in matcher.value.split("|") if value)


def labels_of(expr: str, series: Series, recorded: Mapping[str, str]) -> set[str]:
    """Labels that the series of an expression have, through recorded ones."""
    found: set[str] = set()
    for selector in selectors(expr):
        if selector.name in recorded:
            found |= labels_of(recorded[selector.name], series, recorded)
        for labels in series.get(selector.name, ()):
            found |= labels.keys()
    return found


def test_the_runbooks_name_only_metrics_that_exist(exported: tuple[Any, Series], everything: Series) -> None:
    families = {name.removesuffix("_bucket") for name in everything}
    known = {*exported[1], *everything, *families, *OF_THE_TARGET}
    for runbook in (Path(__file__).parents[3] / "docs" / "runbooks").glob("*.md"):
        named = set(re.findall(r"\b(?:model|process)_[a-z_]+(?=[\s`\[{)])", runbook.read_text()))
        assert named <= known, runbook


def test_the_page_of_metrics_is_what_a_monitor_exports(exposition: str) -> None:
    assert PAGE.read_text() == page(exposition), "write it: python -m tests.integration.prometheus.metrics_page"
