from typing import Any

from drill import BASELINE, RULES, expect, nulls_phase, read

from alertdrill.core.receivers import labels_of_posts, names_in_scope, not_rerouted, silenced, unknown_receivers
from alertdrill.core.routing import Route, Routing, parse_matchers
from alertdrill.core.scenario import Scenario
from alertdrill.core.scope import RuleBook

BOOK = RuleBook.of([RULES])
URL = {"url": "http://127.0.0.1:9093"}
DRILLS = Route(receiver="drills", matchers=parse_matchers("environment=drill"))
ROUTING = Routing(route=Route(receiver="pager", routes=(DRILLS,)), receivers={"pager": (), "drills": (), "unused": ()})


def drilled(receiver: str | None = None, **monitoring: Any) -> Scenario:
    notifies = {"within": "12s"} | ({"receiver": receiver} if receiver else {})
    return read(BASELINE, nulls_phase(expect=[expect(notifies=notifies)]), monitoring=monitoring)


def rerouted(receiver: str, **labels: str) -> Scenario:
    return drilled(alertmanager=URL, notify={"rerouted": {"receiver": receiver, "labels": labels}})


def test_receivers_that_are_routed_to_are_known():
    assert [*unknown_receivers(drilled("pager", alertmanager="managed"), ROUTING)] == []
    assert [*unknown_receivers(drilled(alertmanager="managed"), ROUTING)] == []


def test_of_an_unknown_receiver_the_nearest_is_suggested():
    (one,) = unknown_receivers(drilled("pagr", alertmanager="managed"), ROUTING)
    assert one.path == ("nulls", "expect", 0, "notifies", "receiver")
    assert one.fix == "write pager"


def test_a_receiver_that_no_route_leads_to_is_refused():
    (one,) = unknown_receivers(drilled("unused", alertmanager="managed"), ROUTING)
    assert one.got == "unused, which no route leads to"


def test_alerts_with_the_labels_of_the_route_are_rerouted():
    assert [*not_rerouted(rerouted("drills", environment="drill"), ROUTING, BOOK)] == []


def test_an_alert_that_would_reach_people_is_refused_with_the_route_that_is_missing():
    (one,) = not_rerouted(rerouted("drills", environment="test"), ROUTING, BOOK)
    assert one.got == "NullsHigh reaches pager"
    assert """{matchers: ['environment="test"'], receiver: drills}""" in one.fix
    (without,) = not_rerouted(rerouted("drills"), ROUTING, BOOK)
    assert "add labels" in without.fix


def silences(drill: Scenario, book: RuleBook = BOOK) -> list[str]:
    return [", ".join(one.text() for one in silence) for silence in silenced(drill, book, "r1")]


def test_the_alerts_of_a_managed_prometheus_are_silenced_by_the_label_of_their_run():
    drill = drilled(alertmanager=URL)
    assert silences(drill) == ['alertdrill_run="r1"']
    assert labels_of_posts(drill, "r1") == {"alertdrill_run": "r1"}


def test_the_alerts_of_ones_own_prometheus_are_silenced_by_their_names():
    drill = drilled(alertmanager=URL, prometheus=URL, scope={"alerts": ["Down"]})
    assert silences(drill) == ['alertname=~"Down|NullsHigh"']
    assert labels_of_posts(drill, "r1") == {}


def test_alerts_that_labels_of_their_series_may_put_in_scope_are_silenced_by_these_too():
    drill = drilled(alertmanager=URL, prometheus=URL, scope={"labels": {"team": "fraud"}, "matchers": ['tier=~"1|2"']})
    assert silences(drill) == [
        'alertname=~"NullsHigh"',
        'alertname=~"Down|Slow", team="fraud", tier=~"1|2"',
    ]


def test_rules_that_say_otherwise_by_themselves_are_not_silenced():
    drill = drilled(alertmanager=URL, prometheus=URL, scope={"labels": {"severity": "P0", "team": "fraud"}})
    assert silences(drill)[1:] == ['alertname=~"Down", severity="P0", team="fraud"']
    static = drilled(alertmanager=URL, prometheus=URL, scope={"labels": {"severity": "P0"}})
    assert silences(static) == ['alertname=~"Down|NullsHigh"'], "the rules say all"


def test_what_prohibitions_put_in_scope_by_labels_is_silenced_but_for_what_they_except():
    drill = read(
        BASELINE,
        nulls_phase(must_not_fire=[{"labels": {"team": "fraud"}, "except": ["Slow"]}, {"alert": "Down"}]),
        monitoring={"alertmanager": URL, "prometheus": URL},
        must_not_fire=[{"labels": {"team": "risk"}}],
    )
    assert silences(drill) == [
        'alertname=~"Down|NullsHigh"',
        'alertname=~"Slow", team="risk"',
    ]


def test_alerts_that_are_not_loaded_are_in_scope_too():
    drill = read(BASELINE, nulls_phase(expect=[expect("Unheard.Of")]))
    assert names_in_scope(drill, BOOK) == ("Unheard.Of",)


def test_what_reroutes_alerts_is_added_to_those_of_a_managed_prometheus():
    assert labels_of_posts(rerouted("drills", environment="drill"), "r1") == {
        "environment": "drill",
        "alertdrill_run": "r1",
    }


def test_a_managed_alertmanager_gets_alerts_as_they_are():
    assert labels_of_posts(drilled(alertmanager="managed"), "r1") == {}
