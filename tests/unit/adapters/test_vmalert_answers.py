"""What vmalert 1.79.5 of Debian answered to /api/v1/rules, recorded, and what it is taken to mean."""

from typing import Any

import pytest

from alertdrill.adapters.vmalert_answers import look

ALERT = {
    "state": "firing", "name": "Always", "value": "1", "labels": {"alertgroup": "g", "alertname": "Always"},
    "annotations": {}, "activeAt": "2026-11-23T16:21:15.479973784Z", "id": "7100760304680899659",
    "rule_id": "7831941557844935491", "group_id": "8847045775384148349", "expression": "vector(1)",
    "source": "http://vm:18880/vmalert/api/v1/alert?group_id=8847045775384148349", "restored": False,
}  # fmt: skip
RECORDING = {
    "state": "", "name": "even", "query": "floor(time()/20) % 2", "duration": 0, "lastError": "",
    "evaluationTime": 0.041163208, "lastEvaluation": "2026-11-23T16:21:22.479973784Z", "health": "ok",
    "type": "recording", "datasourceType": "prometheus", "lastSamples": 1, "id": "1", "group_id": "2",
}  # fmt: skip
ALWAYS = RECORDING | {
    "state": "firing", "name": "Always", "query": "vector(1)", "type": "alerting", "alerts": [ALERT],
    "lastEvaluation": "2026-11-23T16:21:22.521216119Z",
}  # fmt: skip
FLIP = RECORDING | {
    "state": "inactive", "name": "Flip", "query": "floor(time()/20) % 2 == 1", "duration": 3,
    "labels": {"severity": "P1"}, "type": "alerting", "lastEvaluation": "2026-11-23T16:21:22.523296902Z",
}  # fmt: skip
NEVER = {"lastEvaluation": "0001-01-01T00:00:00Z"}


def answer(*rules: dict[str, Any]) -> dict[str, Any]:
    group = {"name": "g", "rules": list(rules), "interval": 1, "lastEvaluation": "2026-11-23T16:21:22.6Z"}
    return {"groups": [group | {"file": "/r.yml", "id": "8847045775384148349"}]}


def test_recorded_contract_rules_are_prometheus_s_and_know_their_engine_and_its_lag() -> None:
    (group,) = look(answer(RECORDING, ALWAYS, FLIP), 30.0).groups
    assert [(one.name, one.type, one.for_s, one.health) for one in group.rules] == [
        ("even", "recording", 0.0, "ok"),
        ("Always", "alerting", 0.0, "ok"),
        ("Flip", "alerting", 3.0, "ok"),
    ]
    assert (group.engine, group.lag_s) == ("vmalert", 30.0 + 1.0 + 1.0)


def test_recorded_contract_a_group_was_evaluated_when_the_first_of_its_rules_was_not_when_it_was_done() -> None:
    (group,) = look(answer(ALWAYS, FLIP, RECORDING), 0.0).groups
    assert group.last_evaluation == pytest.approx(1795450882.479973, abs=1e-6)
    (group,) = look(answer(FLIP | NEVER), 0.0).groups
    assert group.last_evaluation is None


def test_recorded_contract_alerts_are_seen_with_their_own_instants() -> None:
    always, flip = look(answer(RECORDING, ALWAYS, FLIP), 0.0).rules
    (alert,) = always.alerts
    assert (always.key, always.interval_s) == (("/r.yml", "g", 1), 1.0)
    assert always.evaluated_at == pytest.approx(1795450882.521216, abs=1e-6)
    assert (alert.labels, alert.state, alert.restored) == (ALERT["labels"], "firing", False)
    assert alert.active_at == pytest.approx(1795450875.479973, abs=1e-6)
    assert flip.alerts == ()


def test_recorded_contract_what_has_resolved_and_is_still_shown_is_not_active() -> None:
    (rule,) = look(answer(ALWAYS | {"alerts": [ALERT | {"state": "inactive"}]}), 0.0).rules
    assert rule.alerts == ()


def test_an_alert_without_an_instant_is_no_answer() -> None:
    with pytest.raises(ValueError, match="without an instant"):
        look(answer(ALWAYS | {"alerts": [ALERT | {"activeAt": NEVER["lastEvaluation"]}]}), 0.0)


def test_recorded_contract_a_rule_that_fails_says_so_and_goes_on_showing_its_alerts() -> None:
    answered = "unexpected response code 422 for http://127.0.0.1:46553/api/v1/query"
    found = look(answer(ALWAYS | {"health": "err", "lastError": answered}, FLIP), 0.0)
    assert [(one.failed, len(one.alerts)) for one in found.rules] == [(True, 1), (False, 0)]
    assert [one.health for one in found.groups[0].rules] == ["err", "ok"]
