from typing import Any

import pytest

from alertdrill.core.scenario.finding import path_text
from alertdrill.core.scenario.reading import read_scenario

OWN = {"url": "http://127.0.0.1:9090"}


def findings(notifies: dict[str, str] | None = None, **monitoring: Any) -> list[tuple[str, str]]:
    expect: dict[str, Any] = {"alert": "A", "within": "10s"} | ({"notifies": notifies} if notifies else {})
    fault = {"kind": "nulls", "features": ["amount"], "share": "20%"}
    values = {
        "version": 1,
        "name": "nulls",
        "target": {"bundled": "fraud"},
        "monitoring": monitoring,
        "load": {"rate": "100/s"},
        "phases": [{"name": "nulls", "duration": "30s", "faults": [fault], "expect": [expect]}],
    }
    return [(path_text(one.path), one.fix) for one in read_scenario(values).findings]


@pytest.mark.parametrize(
    "monitoring",
    [
        {},
        {"alertmanager": "none"},
        {"alertmanager": "managed"},
        {"alertmanager": {"config": "alertmanager.yml"}},
        {"alertmanager": OWN},
        {"alertmanager": OWN, "notify": "live"},
        {"alertmanager": OWN, "notify": {"rerouted": {"receiver": "drills", "labels": {"a": "b"}}}},
        {"alertmanager": OWN, "prometheus": OWN, "notify": "silenced"},
        {"prometheus": OWN, "notify": "live"},
    ],
)
def test_these_agree(monitoring):
    assert findings(**monitoring) == []


@pytest.mark.parametrize(
    ("monitoring", "path", "fix"),
    [
        ({"alertmanager": "alertmanager.yml"}, "monitoring.alertmanager", "write {config: alertmanager.yml}"),
        ({"alertmanager": "http://a:9093"}, "monitoring.alertmanager", "write {url: http://a:9093}"),
        ({"alertmanager": {**OWN, "config": "a.yml"}}, "monitoring.alertmanager", "keep url for your own"),
        ({"alertmanager": OWN, "notify": "rerouted"}, "monitoring.notify", "write {rerouted: {receiver: NAME"),
        ({"alertmanager": OWN, "notify": "quiet"}, "monitoring.notify", "write silenced"),
        ({"alertmanager": "managed", "prometheus": OWN}, "monitoring.alertmanager", "write {url: …}"),
        ({"notify": "live"}, "monitoring.notify", "remove it"),
        ({"alertmanager": "managed", "notify": "silenced"}, "monitoring.notify", "remove it"),
        ({"prometheus": OWN, "notify": "silenced"}, "monitoring.notify", "add alertmanager"),
    ],
)
def test_these_do_not(monitoring, path, fix):
    ((where, how),) = findings(**monitoring)
    assert where == path
    assert fix in how


def test_a_receiver_needs_an_alertmanager_that_routes_to_it():
    where = "phases[0].expect[0].notifies.receiver"
    told = {"within": "12s", "receiver": "pager"}
    assert findings(told) == [(where, "add monitoring: {alertmanager: managed}, or remove receiver")]
    assert findings(told, alertmanager="managed") == []


def test_where_alerts_are_rerouted_no_other_receiver_can_be_told():
    monitoring = {"alertmanager": OWN, "notify": {"rerouted": {"receiver": "drills"}}}
    ((where, fix),) = findings({"within": "12s", "receiver": "pager"}, **monitoring)
    assert (where, fix) == ("phases[0].expect[0].notifies.receiver", "write drills, or notify: live")
