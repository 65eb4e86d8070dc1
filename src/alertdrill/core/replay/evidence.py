"""The evidence of a drill, had other rules been loaded: what they write takes the place of what was recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.plan import Plan, RuleText
from alertdrill.core.promql import PromqlError, parse
from alertdrill.core.recording import LabelKey, Recording, label_key
from alertdrill.core.replay.alert_state import Active
from alertdrill.core.replay.dependencies import ALERT_SERIES, Place, Rules
from alertdrill.core.replay.grid import Grid, groups_of
from alertdrill.core.result import Reason
from alertdrill.core.scope import in_scope

NOTIFICATION = (records.Post, records.Alertmanager, records.Accepted, records.Silence, records.Delivered)


def without_notification(plan: Plan, journal: Iterable[records.Record]) -> tuple[Plan, tuple[records.Record, ...]]:
    """A drill of which only detection and resolution are judged: rules are replayed, receivers are not."""
    phases = tuple(
        phase.model_copy(update={"expect": tuple(one.model_copy(update={"notifies": None}) for one in phase.expect)})
        for phase in plan.scenario.phases
    )
    scenario = plan.scenario.model_copy(update={"phases": phases})
    kept = tuple(
        one
        for one in journal
        if not isinstance(one, NOTIFICATION)
        and not (isinstance(one, records.Trouble) and one.kind == "alertmanager_gone")
    )
    return plan.model_copy(update={"scenario": scenario}), kept


def same_expression(one: str, other: str) -> bool:
    """Whether two expressions say the same, however they are spaced."""
    try:
        return bool(one == other or parse(one).prettify() == parse(other).prettify())
    except PromqlError:
        return False


def unchanged(rules: Rules, place: Place, before: Rules) -> bool:
    """Whether a rule, and all that it reads, is as it was."""

    def same(one: Place) -> bool:
        rule = rules[one]
        return any(_same_rule(rule, before[other]) for other in before.places)

    return all(same(one) for one in rules.behind([place]))


def _same_rule(one: RuleInfo, other: RuleInfo) -> bool:
    return (
        (one.type, one.name, dict(one.labels)) == (other.type, other.name, dict(other.labels))
        and (one.for_s, one.keep_firing_for_s) == (other.for_s, other.keep_firing_for_s)
        and same_expression(one.query, other.query)
    )


def as_loaded(groups: Iterable[RuleGroup], case: Case) -> tuple[RuleGroup, ...]:
    """Groups as a file has them, with what only the engine knew of rules that say the same: its own wording, health.

    How often the slowest target that a rule reads is scraped is that of the rule of the same name; of new rules, that
    of the slowest rule.
    """
    known = [rule for group in groups_of(case) for rule in group.rules]
    slowest = max((rule.scrape_s for rule in known if rule.scrape_s is not None), default=None)

    def told(rule: RuleInfo) -> RuleInfo:
        same = next((one for one in known if _same_rule(rule, one)), None)
        named = next((one for one in known if (one.type, one.name) == (rule.type, rule.name)), None)
        scrape_s = named.scrape_s if named is not None else slowest
        query = rule.query if same is None else same.query
        return replace(rule, query=query, scrape_s=scrape_s, health="ok")

    return tuple(replace(group, rules=tuple(told(rule) for rule in group.rules)) for group in groups)


def replayed_recording(case: Case, written: Iterable[RawSeries]) -> Recording:
    """What was scraped, with what the replayed rules wrote in place of what the recorded ones did."""
    series = [*scraped_series(case), *written]
    return replace(case.recording, series=tuple(sorted(series, key=lambda one: label_key(one.labels))))


def scraped_series(case: Case) -> tuple[RawSeries, ...]:
    """The series of a recording that no rule wrote."""
    before = Rules(groups_of(case))
    return tuple(one for one in case.recording.series if not before.is_output(one.labels))


def active_before(case: Case, alert: str, grid: Grid) -> dict[LabelKey, Active]:
    """The alerts of an unchanged rule that were active at the first evaluation that a recording shows, and since when.

    ALERTS_FOR_STATE says since which second; the alert began at the evaluation in it.
    """
    first = int(grid.times_ms[0])
    found = {}
    for one in case.recording.named("ALERTS_FOR_STATE", alertname=alert):
        at = one.times_ms == first
        if at.any():
            intervals = (first - int(one.values[at][0]) * 1000) // grid.interval_ms
            labels = {name: value for name, value in one.labels.items() if name != "__name__"}
            firing = case.recording.named("ALERTS", **labels, alertstate="firing")
            fires = any(bool((other.times_ms == first).any()) for other in firing)
            found[label_key(labels)] = Active(first - intervals * grid.interval_ms, fires)
    return found


def as_recorded(case: Case, alerts: Iterable[str]) -> tuple[RawSeries, ...]:
    """What the rules of some alerts wrote live."""
    names = frozenset(alerts)
    return tuple(
        one
        for one in case.recording.series
        if one.labels.get("__name__") in ALERT_SERIES and one.labels.get("alertname") in names
    )


def replayed_journal(
    case: Case,
    rules: Rules,
    grids: Sequence[Grid],
    failures: Mapping[Place, tuple[str, NDArray[np.int64]]],
    reasons: Mapping[Place, Reason],
    journal: Iterable[records.Record],
) -> tuple[records.Record, ...]:
    """The journal of a drill in which other rules were loaded.

    Args:
        case: the drill as it was.
        rules: those loaded instead.
        grids: of each of their groups.
        failures: by rule what the engine said, and the instants at which the rule failed.
        reasons: why rules were not replayed.
        journal: that of the drill, without notifications.
    """
    before = Rules(groups_of(case))
    known = {place for place in rules.places if unchanged(rules, place, before)}
    fitting = {rules[place].name for place in known if rules[place].type == "alerting"}
    dropped = (records.Rules, records.Evaluated, records.Answer)
    kept = [_after(one, case, fitting) for one in journal if not isinstance(one, dropped)]
    at = next((one.at for one in case.all(records.Rules)), 0.0)
    return (
        *kept,
        *_snapshots(case, rules, grids, failures, at),
        *_evaluations(case, rules, grids, at),
        *(
            records.NotReplayed(at=at, file=group.file, group=group.name, alert=rules[place].name, reason=reason)
            for place, reason in reasons.items()
            for group in [rules.groups[place.group]]
            if rules[place].type == "alerting"
        ),
    )


def _after(record: records.Record, case: Case, fitting: set[str]) -> records.Record:
    """A record without what depends on how rules were: how soon a changed one can fire nobody has worked out."""
    if isinstance(record, records.Process):
        return record.model_copy(update={"reloaded": None})
    if isinstance(record, records.Fill):
        same = not fitting.isdisjoint(record.expectation.split("/"))
        return record if same else record.model_copy(update={"low_s": None, "likely_s": None, "high_s": None})
    return record


def with_steady_state(
    case: Case, journal: Iterable[records.Record], replayed: Case, fitting: frozenset[str]
) -> tuple[records.Record, ...]:
    """The journal with the alerts that changed rules had active when the steady state was decided.

    Args:
        case: the drill as it was.
        journal: as replayed.
        replayed: the same with what the rules wrote.
        fitting: names of alerts whose rules are unchanged: what was seen of them live stands.
    """

    def told(one: records.Record) -> records.Record:
        if not isinstance(one, records.SteadyState):
            return one
        seen = [labels for labels in one.active if dict(labels).get("alertname") in fitting]
        at_ms = case.engine_ms(one.at)
        found = [
            tuple(sorted(episode.label_map.items()))
            for episode in replayed.episodes
            if episode.alert not in fitting
            and episode.active_at(at_ms)
            and in_scope(replayed.plan.scenario, episode.label_map)
        ]
        return one.model_copy(update={"active": tuple(dict.fromkeys([*seen, *found]))})

    return tuple(told(one) for one in journal)


def _snapshots(
    case: Case, rules: Rules, grids: Sequence[Grid], failures: Mapping[Place, tuple[str, NDArray[np.int64]]], at: float
) -> list[records.Record]:
    """The rules, and again at every instant at which one began to fail, or no longer failed."""
    failing: dict[int, set[Place]] = {}
    for place, (_, failed) in failures.items():
        times = grids[place.group].times_ms
        bad = np.isin(times, failed)
        for i in np.flatnonzero(bad != np.concatenate([[False], bad[:-1]])).tolist():
            failing.setdefault(int(times[i]), set()).add(place)
    found: list[records.Record] = [records.Rules(at=at, groups=rules.groups)]
    now: set[Place] = set()
    for when in sorted(failing):
        now ^= failing[when]
        found.append(records.Rules(at=when / 1000 - case.offset_s, groups=_unhealthy(rules, now, failures)))
    return found


def _unhealthy(
    rules: Rules, failing: set[Place], failures: Mapping[Place, tuple[str, NDArray[np.int64]]]
) -> tuple[RuleGroup, ...]:
    def health(place: Place) -> RuleInfo:
        rule = rules[place]
        return replace(rule, health="err", last_error=failures[place][0]) if place in failing else rule

    return tuple(
        replace(group, rules=tuple(health(Place(g, r)) for r in range(len(group.rules))))
        for g, group in enumerate(rules.groups)
    )


def _evaluations(case: Case, rules: Rules, grids: Sequence[Grid], at: float) -> list[records.Record]:
    """When groups were evaluated: as the engine stated it where their grid is recorded, else their grid."""
    found: list[records.Record] = []
    for group, grid in zip(rules.groups, grids, strict=True):
        recorded = recorded_group(group, groups_of(case)) if grid.source == "recorded" else None
        times = tuple((grid.times_ms / 1000).tolist())
        if recorded is not None:
            times = tuple(
                when
                for one in case.all(records.Evaluated)
                if (one.file, one.group) == (recorded.file, recorded.name)
                for when in one.evaluated_at
            )
        found.append(records.Evaluated(at=at, file=group.file, group=group.name, evaluated_at=times))
    return found


def recorded_group(group: RuleGroup, recorded: Iterable[RuleGroup]) -> RuleGroup | None:
    """The group of a recording that stands for one in a file: that of its name; of several, the one of its file."""
    named = [one for one in recorded if one.name == group.name]
    file = group.file.rsplit("/", 1)[-1]
    return next((one for one in named if one.file.rsplit("/", 1)[-1] == file), named[0] if len(named) == 1 else None)


def with_rules(plan: Plan, texts: Sequence[RuleText]) -> Plan:
    """The plan of a drill in which other rule files were loaded."""
    return plan.model_copy(update={"rules": tuple(texts)})
