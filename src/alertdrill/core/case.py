"""The facts of a drill, read out of plan, journal and recording, with every instant on the engine's clock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alertdrill.core import grafana
from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode, episodes
from alertdrill.core.delivery import Delivery, of_halts
from alertdrill.core.faults.base import ArrivalFault, BodyFault, ProcessFault, RowFault
from alertdrill.core.observations import RuleGroup
from alertdrill.core.plan import Injection, Plan, SegmentKind
from alertdrill.core.recording import Recording
from alertdrill.core.result import Reason
from alertdrill.core.scenario import locustfile
from alertdrill.core.scope import AlertRule, RuleBook, tail_ms
from alertdrill.core.touch import Touch


class Case:
    """Everything that the verdicts of one drill are drawn from."""

    def __init__(self, plan: Plan, journal: Iterable[records.Record], recording: Recording) -> None:
        self.plan = plan
        self.recording = recording
        self._by_kind: dict[str, list[records.Record]] = defaultdict(list)
        self._evaluations: dict[tuple[str, str], NDArray[np.int64]] = {}
        for record in journal:
            self._by_kind[record.record].append(record)

    def all(self, kind: type[records.R]) -> list[records.R]:
        """The records of one kind, in order."""
        return [one for one in self._by_kind[kind.model_fields["record"].default] if isinstance(one, kind)]

    @cached_property
    def _posts(self) -> Mapping[str, list[records.Post]]:
        found: dict[str, list[records.Post]] = defaultdict(list)
        for post in self.all(records.Post):
            found[post.labels.get("alertname", "")].append(post)
        return dict(found)

    def posts_of(self, alert: str) -> Sequence[records.Post]:
        """What the engine posted of one alert, in order."""
        return self._posts.get(alert, ())

    @cached_property
    def touch(self) -> Touch:
        """Which requests every injection touches."""
        return Touch(self.plan)

    @cached_property
    def clock(self) -> records.Clock | None:
        """The best reading of the engine's clock; None if it was never read."""
        return min(self.all(records.Clock), key=lambda c: c.error_s, default=None)

    @property
    def offset_s(self) -> float:
        """The engine's clock minus ours; 0 if it was never read."""
        return self.clock.offset_s if self.clock else 0.0

    @property
    def clock_error_ms(self) -> float | None:
        """How far off that may be."""
        return self.clock.error_s * 1000 if self.clock else None

    def instant_error_ms(self, group: RuleGroup) -> float | None:
        """How far off the instants of the alerts of a group may be, on their engine's clock; None: nobody knows."""
        stated = [one.error_s * 1000 for one in self.all(records.Instants) if one.engine == group.engine]
        return max(stated, default=0.0 if group.engine == "prometheus" else None)

    def engine_ms(self, at_s: float) -> int:
        """One of our instants (s) on the engine's clock (ms)."""
        return round((at_s + self.offset_s) * 1000)

    @cached_property
    def engine(self) -> records.Engine | None:
        """What the engine said of itself."""
        return next(iter(self.all(records.Engine)), None)

    @property
    def scrape_ms(self) -> int:
        """Scrape interval."""
        engine = self.engine
        seconds = engine.scrape_interval_s if engine else self.plan.scenario.monitoring.scrape_interval
        return round(seconds * 1000)

    @cached_property
    def book(self) -> RuleBook:
        """The rules as they were loaded at the start."""
        snapshots = self.all(records.Rules)
        return RuleBook.of(snapshots[0].groups if snapshots else ())

    @cached_property
    def tail_ms(self) -> int:
        """How long a fault can still make an alert fire after its last effect."""
        return tail_ms(self.plan.scenario, self.book, self.scrape_ms)

    @cached_property
    def starts_ms(self) -> Mapping[int, int]:
        """Segment number to its start."""
        return {one.k: self.engine_ms(one.start_at) for one in self.all(records.SegmentStarted)}

    @cached_property
    def closed(self) -> Mapping[int, records.SegmentClosed]:
        """Segment number to how the load closed it."""
        return {one.k: one for one in self.all(records.SegmentClosed)}

    @cached_property
    def drained(self) -> Mapping[int, float]:
        """Segment number to when its last request was over (our clock, s), where that was after it was closed."""
        return {one.k: one.last_ended for one in self.all(records.SegmentDrained)}

    def segment_end_ms(self, k: int) -> int:
        """When a segment gave way to the next, or the recording ended."""
        later = [start for number, start in self.starts_ms.items() if number > k]
        return min(later, default=self.recording.to_ms)

    @cached_property
    def deliveries(self) -> Mapping[str, Delivery]:
        """Injection id to what became of it."""
        return {injection.id: self._delivery(injection) for injection in self.plan.injections}

    @cached_property
    def first_fault_ms(self) -> int:
        """First confirmed effect of any fault; the end of the recording if there is none."""
        return min(
            (d.first_ms for d in self.deliveries.values() if d.first_ms is not None), default=self.recording.to_ms
        )

    def _delivery(self, injection: Injection) -> Delivery:
        return self._halted(injection) if isinstance(injection.fault, ProcessFault) else self._touched(injection)

    def _halted(self, injection: Injection) -> Delivery:
        """What became of a fault on processes."""
        k = injection.segment
        closed, schedule, start_ms = self.closed.get(k), self.touch.schedule(k), self.starts_ms.get(k, 0)
        due_ms = start_ms + np.round(schedule.at[schedule.sent] * 1000).astype(np.int64)
        return of_halts(
            injection,
            [one for one in self.all(records.Halted) if one.injection == injection.id],
            due_ms[due_ms < self.segment_end_ms(k)],
            requests=closed.sent if closed else 0,
            segment_end_ms=self.segment_end_ms(k),
            drained_ms=self.engine_ms(self.drained.get(k, 0.0)),
            engine_ms=self.engine_ms,
        )

    @cached_property
    def halts_ms(self) -> tuple[tuple[int, int], ...]:
        """From when to when processes of the target were stopped or gone, by faults, ms on the engine's clock."""
        return tuple(
            (one.first_ms, one.last_ms)
            for one in self.deliveries.values()
            if one.halted and one.first_ms is not None and one.last_ms is not None
        )

    def _touched(self, injection: Injection) -> Delivery:
        effects: dict[int, float] = {}
        served: list[float] = []
        for one in self.all(records.Touched):
            if one.injection == injection.id:
                for i, at in zip(one.i, one.effect_at, strict=True):
                    effects[i] = min(at, effects.get(i, at))
        for answer in self.all(records.Served):
            if answer.injection == injection.id:
                served += [at for at in answer.served_at if at is not None]
        closed = self.closed.get(injection.segment)
        reached = closed.sent + closed.suppressed if closed else max(effects, default=-1) + 1
        mask = self._planned(injection, reached)
        confirmed = [at for i, at in effects.items() if i < reached and mask[i]]
        suppressed = closed.suppressed if closed else 0
        return Delivery(
            injection,
            reached if isinstance(injection.fault, ArrivalFault) else reached - suppressed,
            int(mask.sum()),
            len(confirmed),
            len(effects) - len(confirmed),
            self.engine_ms(min(confirmed)) if confirmed else None,
            self.engine_ms(max(confirmed)) if confirmed else None,
            self.engine_ms(max(self.drained.get(injection.segment, 0.0), *confirmed)) if confirmed else None,
            self.engine_ms(min(served)) if served else None,
            self._full_ms(injection, {i: at for i, at in effects.items() if i < reached and mask[i]}),
        )

    def _planned(self, injection: Injection, reached: int) -> NDArray[np.bool_]:
        """Shape (reached,): the requests that an injection was to touch."""
        if locustfile(self.plan.scenario.load) is None or not isinstance(injection.fault, RowFault | BodyFault):
            return self.touch.mask(injection, 0, reached)
        mask = np.zeros(reached, dtype=bool)
        for one in self.all(records.Picked):
            if one.injection == injection.id:
                mask[[i for i in one.i if i < reached]] = True
        return mask

    def _full_ms(self, injection: Injection, confirmed: Mapping[int, float]) -> int | None:
        profile = injection.fault.profile
        at = self.touch.schedule(injection.segment).at
        full = [when for i, when in confirmed.items() if profile is None or at[i] >= profile.full_at_s]
        return self.engine_ms(min(full)) if full else None

    def evaluations_ms(self, rule: AlertRule) -> NDArray[np.int64]:
        """When the group of a rule is known to have been evaluated, ascending.

        Samples of what the group records and of its alerts, and the evaluation times that the engine itself stated;
        of other engines than Prometheus these alone, as they write samples under instants of another kind.
        """
        key = rule.group.file, rule.group.name
        if key not in self._evaluations:
            self._evaluations[key] = self._evaluated(rule.group)
        return self._evaluations[key]

    def _evaluated(self, group: RuleGroup) -> NDArray[np.int64]:
        names = {one.name for one in group.rules if one.type == "recording"}
        alerts = {one.name for one in group.rules if one.type == "alerting"}
        times = [
            one.times_ms
            for one in (self.recording.series if group.engine == "prometheus" else ())
            if one.labels.get("__name__") in names
            or (one.labels.get("__name__") == "ALERTS" and one.labels.get("alertname") in alerts)
        ]
        stated = [
            round(at * 1000)
            for one in self.all(records.Evaluated)
            if (one.file, one.group) == (group.file, group.name)
            for at in one.evaluated_at
        ]
        return np.unique(np.concatenate([*times, np.array(stated, dtype=np.int64)]).astype(np.int64))

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """Every episode of every loaded alert that was not over before the drill began."""
        found: list[Episode] = []
        for name in sorted({rule.name for rule in self.book.alerts}):
            by_grafana = {rule.group.engine == "grafana": rule for rule in reversed(self.book.named(name))}
            for grafanas, rule in by_grafana.items():
                series = self.recording.named(grafana.METRIC if grafanas else "ALERTS", alertname=name)
                alerts = grafana.as_alerts(series) if grafanas else series
                found += episodes(alerts, rule.interval_ms, self.evaluations_ms(rule), self.recording.to_ms)
        during = (one for one in found if one.resolved_at is None or one.resolved_at > self.recording.from_ms)
        return tuple(sorted(during, key=lambda e: (e.pending_at, e.alert, e.labels)))

    def not_replayed(self, rule: AlertRule) -> Reason | None:
        """Why a replay could not evaluate a rule; None where it could, and in every live drill."""
        place = rule.group.file, rule.group.name, rule.name
        found = (one.reason for one in self.all(records.NotReplayed) if (one.file, one.group, one.alert) == place)
        return next(found, None)

    @cached_property
    def steady(self) -> records.SteadyState | None:
        """The steady state, if there was one."""
        return next((one for one in self.all(records.SteadyState) if one.held), None)

    @cached_property
    def baseline_from_ms(self) -> int:
        """When the steady state began to count; the end of the recording if it never did."""
        steady = self.steady
        return self.engine_ms(steady.since) if steady else self.recording.to_ms

    @cached_property
    def counts_until_ms(self) -> int:
        """When the drill stopped counting: its first trouble, or the end of its load."""
        troubles = [one.at for one in self.all(records.Trouble)]
        closed = [one.at for one in self.all(records.SegmentClosed)]
        ends = troubles or closed[-1:]
        return self.engine_ms(min(ends)) if ends else self.recording.to_ms

    def phase_of(self, at_ms: int) -> str | None:
        """The phase segment that an instant lies in."""
        for segment in self.plan.segments:
            started = segment.kind is SegmentKind.PHASE and segment.k in self.starts_ms
            if started and self.starts_ms[segment.k] <= at_ms < self.segment_end_ms(segment.k):
                return segment.name
        return None

    @cached_property
    def late_sends(self) -> tuple[tuple[int, float], ...]:
        """Sends of our own load that came late, as (engine ms, lateness in s)."""
        return tuple(
            (self.engine_ms(at), late)
            for one in self.all(records.Late)
            for at, late in zip(one.sent_at, one.late_s, strict=True)
        )
