"""The plan of a drill, and what each expectation of it can hope for."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alertdrill.adapters.target import PreparedTarget
from alertdrill.compose.background import Background
from alertdrill.compose.crew import ALONE, Crew
from alertdrill.compose.material import Material, material, recorded_traffic
from alertdrill.compose.options import in_file, refuse
from alertdrill.core.auto import in_numbers
from alertdrill.core.blast_radius import blast_radius
from alertdrill.core.choices import with_choices
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.faults.base import Place
from alertdrill.core.feasibility import unknown_features
from alertdrill.core.hopeless import hopeless, out_of_view, too_fast, without_effect, wrong_alerts
from alertdrill.core.label_sets import unnamed, with_label_sets
from alertdrill.core.log_fit import too_dense, too_long, too_quick
from alertdrill.core.log_fit import too_fast as played_too_fast
from alertdrill.core.observations import RuleGroup
from alertdrill.core.outlook import Outlook, Planned
from alertdrill.core.plan import Plan, RuleText, TargetPlan, make_segments
from alertdrill.core.prospect import Prospect, assumed_starts, never_alone, prospects
from alertdrill.core.reach import held_up, reaches
from alertdrill.core.scenario import Load, Scenario, locustfile
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.part import AUTO_S
from alertdrill.core.scope import RuleBook, slowest_rule, tail_ms
from alertdrill.core.scrape_intervals import UNKNOWN, ScrapeIntervals, too_short
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.core.units import format_duration


@dataclass(frozen=True)
class Prospectus:
    """What `plan` shows, and the mistakes that are in the way of a drill, with their lines."""

    outlook: Outlook
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Planner:
    """Plans one scenario on one target and one engine.

    Attributes:
        scenario: as it was written, `auto` included, `match: all` as one expectation for each label set.
        path: its file.
        target: where the requests go, and the rows that they are drawn from.
        groups: the loaded rules.
        scrape_s: scrape interval of the engine.
        background: the traffic of others.
        log: the traffic that the load plays, if it is recorded.
        crew: the processes that send the load.
        told: what is to be said of the Alertmanager and of people.
        intervals: how often the user's own Prometheus scrapes what rules in scope read.
    """

    scenario: Scenario
    path: Path
    target: PreparedTarget
    groups: Sequence[RuleGroup]
    scrape_s: float
    background: Background
    log: TrafficLog | None = None
    crew: Crew = ALONE
    told: tuple[str, ...] = ()
    intervals: ScrapeIntervals = UNKNOWN

    @cached_property
    def material(self) -> Material:
        """What the requests are made of."""
        return material(self.scenario, self.tail_s, self.target, self.log)

    @property
    def tail_s(self) -> float:
        """How long a fault can still make an alert in scope fire after its last effect."""
        return tail_ms(self.scenario, RuleBook.of(self.groups), round(self.scrape_s * 1000)) / 1000

    def plan(self, run_id: str) -> Plan:
        """The plan, rule texts embedded where the engine is ours, without any `auto`.

        Raises:
            BadInput: an `auto` cannot be worked out, a limit would be exceeded, or a rule looks at too few scrapes.
        """
        refuse(self._in_file(too_short(self.scenario, RuleBook.of(self.groups), self.intervals)))
        self._check_duration(self.scenario)
        if self.log is not None:
            refuse(self._in_file(too_dense(self.scenario, self.tail_s, self.log)))
        scenario, findings = in_numbers(self.scenario, self._look, self.tail_s)
        if findings:
            refuse(self._in_file([*findings, *wrong_alerts(self.scenario.phases, RuleBook.of(self.groups))]))
        self._check_duration(scenario)
        if self.log is not None:
            refuse(self._in_file(too_long(scenario, self.log)))
        plan = self._plan(scenario, run_id)
        touch = Touch(plan)
        refuse(self._in_file([*too_fast(plan, touch), *played_too_fast(plan, touch)]))
        return plan

    def prospectus(self, plan: Plan) -> Prospectus:
        """What a plan can hope for, before a run."""
        plan = self._estimated(plan)
        touch, book = Touch(plan), RuleBook.of(self.groups)
        starts, counts = assumed_starts(plan, touch, self.tail_s)
        planned = Planned(
            plan=plan,
            written=self.scenario,
            touch=touch,
            tail_s=self.tail_s,
            starts_s=starts,
            background_per_s=self.background.per_s,
            reaches=reaches(plan, touch),
            prospects=self._prospects(plan, touch, starts, counts),
            blast_radius=blast_radius(plan, touch, _starts(plan, self.target, self.crew)),
        )
        findings = [
            *without_effect(plan.scenario.phases, planned.reaches),
            *wrong_alerts(plan.scenario.phases, book),
            *out_of_view(planned.prospects, book, plan.scenario.monitoring.monitor == "sidecar"),
            *hopeless(planned.prospects, planned.reaches, self.tail_s),
            *too_quick(plan.scenario, book),
        ]
        mistakes = tuple(self._in_file(findings))
        notes = [*self.told, *self.material.notes(plan)]
        notes += [self.background.note] if self.background.note else []
        rows, reference = self.material.rows, self.material.reference
        hidden = never_alone(planned.prospects, plan, rows, book, self.scrape_s, starts, counts, reference)
        notes += [f"{name}: its fault alone never raises the alert, the others of the phase do" for name in hidden]
        notes += [
            f"{name}: requests that the other faults of the phase break may never get there" for name in held_up(plan)
        ]
        return Prospectus(planned.outlook(notes, mistakes), mistakes)

    def _in_file(self, findings: Iterable[Finding]) -> list[Mistake]:
        return in_file(self.path, findings, self.target.schema)

    def _check_duration(self, scenario: Scenario) -> None:
        """Phases, and a tail before each fault and at the end, must fit the limit; `auto` counts as a number."""
        faults, tail_s = sum(bool(phase.faults) for phase in scenario.phases), self.tail_s
        phases_s = sum(phase.duration for phase in scenario.phases if phase.duration != AUTO_S)
        needed_s = phases_s + tail_s * (faults + 1)
        if needed_s <= scenario.limits.max_duration:
            return
        limit = format_duration(scenario.limits.max_duration)
        got = f"{limit}, with a tail of {format_duration(tail_s)} after each fault{self._why_so_long()}"
        fix = "drill rules with shorter windows, `for` and intervals, or raise limits.max_duration"
        raise BadInput([Mistake("limits.max_duration", got, f"{format_duration(needed_s)} or more", fix)])

    def _why_so_long(self) -> str:
        """The rule that makes the tail as long as it is, with what it is made of."""
        book = RuleBook.of(self.groups)
        rule = slowest_rule(self.scenario, book, round(self.scrape_s * 1000))
        if rule is None:
            return ""
        window, hold, interval = (
            format_duration(ms / 1000) for ms in (book.lookback_ms(rule), rule.for_ms, rule.interval_ms)
        )
        return f" ({rule.name}: window {window}, for {hold}, evaluated every {interval})"

    def _plan(self, scenario: Scenario, run_id: str) -> Plan:
        target = self.target
        segments, injections = make_segments(scenario, target.schema, self.tail_s, self.material.log)
        managed = scenario.monitoring.prometheus == "managed"
        files = sorted({group.file for group in self.groups}) if managed else []
        plan = Plan(
            run_id=run_id,
            seed=scenario.seed,
            scenario_path=self.path.name,
            scenario=scenario,
            target=TargetPlan(
                name=target.name,
                version=target.version,
                schema_=target.schema,
                headers=target.headers,
                sample_sha256=self.material.sha256,
                spreads=self.material.spreads,
                dependency_waits_s=_dependency_waits_s(target),
            ),
            rules=tuple(_rule_text(Path(file)) for file in files),
            background_per_s=self.background.per_s or 0.0,
            segments=segments,
            injections=injections,
        )
        return plan if locustfile(scenario.load) is not None else with_choices(plan, self.material.rows)

    def _estimated(self, plan: Plan) -> Plan:
        """A plan with the requests that injections change: as if users who bring their own rows sent the sample's."""
        own = locustfile(plan.scenario.load) is not None
        return with_choices(plan, self.material.rows) if own else plan

    def _look(self, scenario: Scenario) -> tuple[Prospect, ...]:
        plan = self._estimated(self._plan(scenario, "provisional"))
        touch = Touch(plan)
        return self._prospects(plan, touch, *assumed_starts(plan, touch, self.tail_s))

    def _prospects(
        self, plan: Plan, touch: Touch, starts: Mapping[int, float], counts: Mapping[int, int]
    ) -> tuple[Prospect, ...]:
        traffic = PlannedTraffic(plan, self.material.rows, touch, self.material.reference)
        return tuple(prospects(plan, traffic, RuleBook.of(self.groups), self.scrape_s, starts, counts))


def _dependency_waits_s(target: PreparedTarget) -> float | None:
    return target.spec.dependency.waits if target.spec is not None and target.spec.dependency is not None else None


def _rule_text(path: Path) -> RuleText:
    text = path.read_text(encoding="utf-8")
    return RuleText(path=str(path), text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


def _starts(plan: Plan, target: PreparedTarget, crew: Crew) -> tuple[str, ...]:
    """The processes that a drill starts, in the order of the wire."""
    load, names = plan.scenario.load, [*crew.starts()]
    if isinstance(load, Load) and load.locustfile is not None:
        names = [f"load: {load.users} users of {load.locustfile}"]
    at = {one.place for one in plan.injections}
    proxies = {place: f"fault proxy ({place})" for place in Place if place in at and place not in target.proxies}
    monitor = ["monitor"] if plan.scenario.monitoring.monitor == "sidecar" else []
    names += [proxies[Place.EDGE]] if Place.EDGE in proxies else []
    names += monitor
    names += [proxies[Place.MODEL]] if Place.MODEL in proxies else []
    if target.spec is not None:
        names.append(f"model {target.name}")
        names += [proxies[Place.DEPENDENCY]] if Place.DEPENDENCY in proxies else []
        names += ["feature store"] if target.spec.dependency is not None else []
    if target.command is not None:
        names.append(f"model: {target.command.text}")
    monitoring = plan.scenario.monitoring
    names += ["Prometheus"] if monitoring.prometheus == "managed" else []
    return (*names, "Alertmanager") if monitoring.level == "delivered" else tuple(names)


def prospectus(
    scenario: Scenario,
    path: Path,
    groups: Sequence[RuleGroup],
    scrape_s: float,
    target: PreparedTarget,
    crew: Crew = ALONE,
    background: Background = Background(),  # noqa: B008
    told: tuple[str, ...] = (),
    intervals: ScrapeIntervals = UNKNOWN,
) -> Prospectus:
    """What a drill can hope for.

    Args:
        scenario: as it was written.
        path: its file.
        groups: the loaded rules.
        scrape_s: scrape interval of the engine.
        target: where the requests go.
        crew: the processes that send the load.
        background: the traffic of others.
        told: what is to be said of the Alertmanager and of people.
        intervals: how often the user's own Prometheus scrapes what rules in scope read.

    Raises:
        BadInput: it cannot be planned.
    """
    unknown = [*unknown_features(scenario, target.schema), *unnamed(scenario, target.schema)]
    if unknown:
        refuse(in_file(path, [*unknown, *wrong_alerts(scenario.phases, RuleBook.of(groups))]))
    log = recorded_traffic(scenario, path, target)
    scenario = with_label_sets(scenario, target.schema)
    planner = Planner(scenario, path, target, groups, scrape_s, background, log, crew, told, intervals)
    return planner.prospectus(planner.plan("planned"))
