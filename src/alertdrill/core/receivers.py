"""Whom a drill's alerts will reach by the routes of its Alertmanager, said before anything is broken."""

from collections.abc import Iterable, Iterator, Mapping

from alertdrill.core.errors import nearest
from alertdrill.core.matchers import Matcher, exactly, literal, may_match
from alertdrill.core.routing import Routing
from alertdrill.core.scenario import Reroute, Scenario, UserAlertmanager
from alertdrill.core.scenario.finding import TOP, Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scope import RuleBook, in_scope

RUN_LABEL = "alertdrill_run"
"""What a managed Prometheus adds to the alerts that it posts to the user's own Alertmanager."""

AUTHOR = "alertdrill"
"""Who has set the silences of drills, as Alertmanager shows it."""

SHOWN = 20


def unknown_receivers(scenario: Scenario, routing: Routing) -> Iterator[Finding]:
    """Receivers that the scenario names and that no route leads to. Paths start from the name of a phase, or TOP."""
    routed = sorted(routing.route.named())
    for name, path in _named(scenario):
        if name in routed:
            continue
        near = nearest(name, routed)
        shown = ", ".join(routed[:SHOWN]) + (", …" if len(routed) > SHOWN else "")
        fix = f"write {near}" if near else f"add a route to {name}, or write one of these"
        got = f"{name}, which no route leads to" if name in routing.receivers else f"the unknown receiver {name}"
        yield Finding(path, f"a receiver that alerts are routed to ({shown})", fix, got)


def _named(scenario: Scenario) -> Iterator[tuple[str, Path]]:
    for phase in scenario.phases:
        for position, expectation in enumerate(phase.expect):
            if expectation.notifies is not None and expectation.notifies.receiver is not None:
                yield expectation.notifies.receiver, (phase.name, "expect", position, "notifies", "receiver")
    notify = scenario.monitoring.notify
    if isinstance(notify, Reroute):
        yield notify.rerouted.receiver, (TOP, "monitoring", "notify", "rerouted", "receiver")


def not_rerouted(scenario: Scenario, routing: Routing, book: RuleBook) -> Iterator[Finding]:
    """The first alert in scope that would reach somebody else than the receiver that alerts are rerouted to."""
    notify = scenario.monitoring.notify
    if not isinstance(notify, Reroute) or not isinstance(scenario.monitoring.alertmanager, UserAlertmanager):
        return
    wanted, labels = notify.rerouted.receiver, notify.rerouted.labels
    for rule in book.alerts:
        if not in_scope(scenario, rule.labels):
            continue
        reached = routing.reached({**rule.labels, **labels})
        if reached != (wanted,):
            got = f"{rule.name} reaches {', '.join(reached) or 'nobody'}"
            expected = f"routes by which every alert in scope reaches {wanted} alone"
            yield Finding((TOP, "monitoring", "notify", "rerouted"), expected, _route_to_add(wanted, labels), got)
            return


def _route_to_add(receiver: str, labels: Mapping[str, str]) -> str:
    if not labels:
        return f"add labels that lead to {receiver}, such as labels: {{environment: drill}}, or write notify: silenced"
    shown = ", ".join(one.text() for one in exactly(dict(sorted(labels.items()))))
    route = f"{{matchers: ['{shown}'], receiver: {receiver}}}"
    return f"let the first of the top route's routes be {route}, without continue; or write notify: silenced"


Silenced = tuple[Matcher, ...]
"""What one silence matches: the alerts that fulfil all of it."""


def silenced(scenario: Scenario, book: RuleBook, run_id: str) -> tuple[Silenced, ...]:
    """What the silences of a drill match: the alerts of its own Prometheus, else those in scope.

    These are known by name where the rule says enough. Whether others are in scope depends on labels of their series,
    which show when they fire: for each set of labels that puts an alert in scope, one silence of the loaded rules that
    can bear them.
    """
    if scenario.monitoring.prometheus == "managed":
        return ((Matcher(RUN_LABEL, "=", run_id),),)
    names = names_in_scope(scenario, book)
    by_labels = []
    for clause, spared in _clauses(scenario):
        others = {rule.name for rule in book.alerts if may_match(clause, rule.fixed_labels)} - {*names, *spared}
        by_labels += [(by_name(sorted(others)), *clause)] if others else []
    return tuple(dict.fromkeys([*([(by_name(names),)] if names else []), *by_labels]))


def _clauses(scenario: Scenario) -> Iterator[tuple[Silenced, tuple[str, ...]]]:
    """The labels that put alerts of any name in scope, and the names that they do not."""
    scope = scenario.monitoring.scope
    if scope.labels or scope.matchers:
        yield (*exactly(scope.labels), *scope.matchers), ()
    for one in [*scenario.must_not_fire, *(one for phase in scenario.phases for one in phase.must_not_fire)]:
        if one.alert is None:
            yield (*exactly(one.labels), *one.matchers), one.except_


def names_in_scope(scenario: Scenario, book: RuleBook) -> tuple[str, ...]:
    """Names of the alerts that a drill is about, loaded or not."""
    loaded = {rule.name for rule in book.alerts if in_scope(scenario, rule.labels)}
    return tuple(sorted(loaded | {one.alert for phase in scenario.phases for one in phase.expect}))


def by_name(names: Iterable[str]) -> Matcher:
    """What alerts with one of these names fulfil."""
    return Matcher("alertname", "=~", "|".join(map(literal, names)))


def labels_of_posts(scenario: Scenario, run_id: str) -> dict[str, str]:
    """What a managed Prometheus adds to the alerts that it posts to the user's own Alertmanager."""
    monitoring = scenario.monitoring
    if monitoring.prometheus != "managed" or not isinstance(monitoring.alertmanager, UserAlertmanager):
        return {}
    rerouted = monitoring.notify.rerouted.labels if isinstance(monitoring.notify, Reroute) else {}
    return {**rerouted, RUN_LABEL: run_id}
