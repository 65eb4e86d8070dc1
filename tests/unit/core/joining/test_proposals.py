from typing import Any

import pytest

from alertdrill.core.joining.endpoint import Endpoint
from alertdrill.core.joining.joined import Joined, Reference, joined
from alertdrill.core.joining.proposals import Proposals, proposals
from alertdrill.core.joining.skeleton import skeleton_text
from alertdrill.core.observations import RuleGroup, RuleInfo
from alertdrill.core.scope import RuleBook
from alertdrill.protocols.base import Protocol
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.mlflow import Mlflow

PLAIN = Json()


def model(protocol: Protocol = PLAIN) -> Joined:
    rows = [{"country": ("RS", "CZ")[n % 2], "amount": n % 7} for n in range(50)]
    return joined(Endpoint("OpenAPI", "/predict", protocol), Reference("day.csv", ("country", "amount"), rows))


def rule(name: str, query: str, kind: Any = "alerting", **labels: str) -> RuleInfo:
    return RuleInfo(name, kind, query, 30.0, 0.0, labels, {}, "ok", "")


def proposed(*rules: RuleInfo, protocol: Protocol = PLAIN) -> Proposals:
    return proposals(RuleBook.of([RuleGroup("rules.yml", "own", 15.0, None, rules)]), model(protocol), 15.0)


def kind(query: str) -> str:
    (one,) = proposed(rule("A", query)).proposed
    return str(one.fault["kind"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('sum(rate(http_requests_total{status="5xx"}[5m])) / sum(rate(http_requests_total[5m])) > 0.05', "wrong_type"),
        ('rate(rest_server_requests_total{status_code=~"5.."}[1m]) > 1', "wrong_type"),
        ('rate(bentoml_service_request_total{http_response_code!~"2.."}[1m]) > 1', "malformed_json"),
        ('rate(http_requests_total{status=~"4.."}[1m]) > 1', "malformed_json"),
        ("rate(model_infer_request_failure_total[1m]) > 0", "wrong_type"),
        ("histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 0.5", "slow_upload"),
        ("sum(rate(http_requests_total[5m])) < 1", "traffic_loss"),
        ("absent(rest_server_requests_total)", "traffic_loss"),
        ('rate(model_feature_values_total{cell=~"null|missing"}[5m]) > 0.1', "nulls"),
        ("feature_psi > 0.2", "mean_shift"),
        ("model_drift_evidence >= model_drift_threshold", "mean_shift"),
        ("rate(model_malformed_requests_total[5m]) > 0.1", "malformed_json"),
    ],
)
def test_what_an_alert_reads_says_which_fault_should_raise_it(query: str, expected: str) -> None:
    assert kind(query) == expected


def test_the_feature_is_the_one_that_the_selector_names() -> None:
    query = 'sum by (feature) (rate(nulls_total{feature="amount"}[5m])) > 0.1'
    (one,) = proposed(rule("A", query)).proposed
    assert one.fault == {"kind": "nulls", "features": ["amount"], "share": "50%"}
    assert one.labels == {"feature": "amount"}
    assert "nulls_total" in one.why


def test_recorded_metrics_are_followed_to_what_is_scraped() -> None:
    recorded = rule("model:nulls", 'sum(rate(values_total{cell="null"}[10m]))', "recording")
    (one,) = proposed(recorded, rule("A", "model:nulls > 0.1")).proposed
    assert one.fault["kind"] == "nulls"
    assert one.wait_s == 600 + 30 + 30 + 30


@pytest.mark.parametrize(
    ("query", "labels", "why"),
    [
        ("vector(1)", {}, "fires always or never"),
        ("rate(x_requests_total[5m]) > 1", {"severity": "info"}, "nobody is to be woken"),
        ("node_disk_free_bytes < 5", {}, "nothing is known of node_disk_free_bytes"),
        ('up{job="model"} == 0', {}, "no fault of requests"),
        ("model_quality < 0.9", {}, "comes later than requests"),
        ('rate(nulls_total{feature="age"}[5m]) > 0.1', {}, 'feature="age"'),
        ('psi{feature="country"} > 0.1', {}, "no number that the model takes"),
    ],
)
def test_what_is_not_understood_is_listed_with_its_reason(query: str, labels: dict[str, str], why: str) -> None:
    found = proposed(rule("A", query, **labels))
    assert found.proposed == ()
    assert why in found.left_out[0].why


def test_alerts_of_one_fault_share_a_phase_that_lasts_long_enough_for_all() -> None:
    first = rule("NullsA", 'rate(values_total{cell="null"}[5m]) > 0.1')
    second = rule("NullsB", 'rate(values_total{cell="null"}[10m]) > 0.1')
    text = skeleton_text(proposed(first, second, rule("Dog", "vector(1)")), "own", "http://127.0.0.1:9090", 50)
    assert text.count("  - name: nulls") == 1
    assert "{alert: NullsA, within: 390s}" in text
    assert "duration: 720s" in text
    assert "#   Dog: it reads no series" in text


def test_a_fault_that_the_protocol_cannot_carry_is_not_proposed() -> None:
    found = proposed(rule("A", "rate(malformed_requests_total[5m]) > 1"), protocol=Mlflow(format="csv"))
    assert found.left_out[0].why == "mlflow cannot carry malformed_json as it is set"
