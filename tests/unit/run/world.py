"""A world without waiting: the director's ports in memory, under a clock that sleeping moves forward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from alertdrill.core import journal as records
from alertdrill.core.observations import ClockReading, Labels, RawSeries, RuleGroup, RuleInfo, SelfMetrics
from alertdrill.core.plan import Plan, SegmentKind, TargetPlan, make_segments
from alertdrill.core.scenario import Scenario
from alertdrill.core.scope import RuleBook, tail_ms
from alertdrill.protocols.schema import Feature, Schema
from alertdrill.run.director import Director
from alertdrill.run.ports import ActiveAlert, SourceFailed
from alertdrill.run.replica import Replica

T0 = 1_790_000_000.0
UP_AFTER_S = 5.5
FULL_TAIL_S = 5.0
"""Tail of the rules below: 3 s of lookback, no `for`, one scrape and one evaluation of 1 s each."""
WINDOW_S = 3.0

Answers = Callable[[float], Sequence[tuple[Labels, float]]]


def alerting(name: str, **labels: str) -> RuleInfo:
    """A rule that looks back 3 s."""
    return RuleInfo(name, "alerting", "rate(model_requests_total[3s]) > 1", 0.0, 0.0, labels, {}, "ok", "")


def group(*rules: RuleInfo) -> RuleGroup:
    """One rule group, evaluated each second."""
    return RuleGroup("rules.yml", "drill", 1.0, None, rules)


def scenario(phases: Sequence[Mapping[str, Any]], **more: Any) -> Scenario:
    """A scenario with these phases; the alerts A and B are in its scope."""
    document: dict[str, Any] = {
        "version": 1,
        "name": "stepped",
        "target": {"bundled": "fraud"},
        "monitoring": {"scope": {"alerts": ["A", "B"]}},
        "load": {"rate": "10/s", "arrivals": "constant"},
        "steady_state": [{"alerts": "inactive", "for": "2s"}],
        "phases": list(phases),
        "settle": {"timeout": "20s"},
    }
    return Scenario.model_validate({**document, **more})


def fault_phase(name: str, *expected: str, duration: str = "20s", **more: Any) -> dict[str, Any]:
    """A phase with nulls in every fifth request, and the alerts that must fire."""
    fault = {"kind": "nulls", "features": ["amount"], "share": "20%"}
    expect = [{"alert": alert, "within": "10s"} for alert in expected]
    return {"name": name, "duration": duration, "faults": [fault], "expect": expect, **more}


BASELINE: dict[str, Any] = {"name": "baseline", "duration": "10s"}


class SteppedClock:
    """Time stands still until somebody sleeps; what is due on the way happens."""

    def __init__(self) -> None:
        self._now = T0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self._now

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Have something happen at an instant."""
        self._due.append((when, what))

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        end = self._now + seconds
        while due := [one for one in self._due if one[0] <= end]:
            first = min(due, key=lambda one: one[0])
            self._due.remove(first)
            self._now = max(self._now, first[0])
            first[1]()
        self._now = end

    async def sleep_until(self, at: float) -> None:
        self.pass_s(max(0.0, at - self._now))


@dataclass(frozen=True)
class Announced:
    """What the load was told: at `said`, that segment `k` begins at `at`."""

    said: float
    k: int
    at: float


class FakeLoad:
    """Load that touches something at every instant of a fault phase, and can confirm it at once."""

    def __init__(self, plan: Plan, clock: SteppedClock) -> None:
        self._plan, self._clock = plan, clock
        self.announced: list[Announced] = []
        self.closed_at: float | None = None
        self.touches = True
        self.needs_s = 0.0
        self.on_announce: Callable[[str, str, float], None] = lambda kind, name, at: None

    def announce(self, k: int, at: float) -> None:
        self.announced.append(Announced(self._clock.now(), k, at))
        segment = self._plan.segments[k]
        self.on_announce(segment.kind, segment.name, at)

    def close(self, at: float) -> None:
        self.closed_at = at

    async def ended(self, timeout_s: float) -> bool:
        waited_s = min(self.needs_s, timeout_s)
        self._clock.pass_s(waited_s)
        self.needs_s -= waited_s
        return self.needs_s <= 0.0

    def last_touched(self) -> float | None:
        last_end = self._clock.now() if self.closed_at is None else self.closed_at
        ends = [*(one.at for one in self.announced[1:]), last_end]
        touched = [
            min(end, self._clock.now())
            for one, end in zip(self.announced, ends, strict=True)
            if self._plan.segment_injections(one.k) and one.at < self._clock.now()
        ]
        return max(touched, default=None) if self.touches else None


@dataclass
class Episode:
    """An alert that is active in [begins, ends), and fires from `fires` on."""

    labels: dict[str, str]
    begins: float
    fires: float
    ends: float

    def at(self, now: float) -> ActiveAlert | None:
        state: Literal["pending", "firing"] = "firing" if now >= self.fires else "pending"
        return ActiveAlert(self.labels, state) if self.begins <= now < self.ends else None


@dataclass
class FakeSource:
    """An engine that evaluates each second, whose alerts follow a script."""

    clock: SteppedClock
    groups: tuple[RuleGroup, ...]
    episodes: list[Episode] = field(default_factory=list)
    answers: dict[str, Answers] = field(default_factory=dict)
    silent: list[tuple[float, float]] = field(default_factory=list)
    up_at: float = T0 + UP_AFTER_S
    dead: bool = False
    started_at: float = T0 - 60.0
    reloaded: bool = True
    reserved: bool = False
    ahead_s: float = 0.0
    timeout_s: float = 0.0
    raw_asked: list[tuple[str, float, float]] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)

    def _speak(self) -> None:
        self.asked_at.append(self.clock.now())
        if self.dead or any(begin <= self.clock.now() < end for begin, end in self.silent):
            self.clock.pass_s(self.timeout_s)
            raise SourceFailed("no answer")

    async def active(self) -> Sequence[ActiveAlert]:
        self._speak()
        evaluated = float(int(self.clock.now()))
        return [one for episode in self.episodes if (one := episode.at(evaluated))]

    async def instant(self, query: str, at: float | None = None) -> Sequence[tuple[Labels, float]]:
        self._speak()
        if query == "up":
            return [({"job": job}, float(self.clock.now() >= self.up_at)) for job in ("monitor", "model")]
        return self.answers[query](self.clock.now())

    async def raw(self, selector: str, from_s: float, to_s: float) -> Sequence[RawSeries]:
        self._speak()
        self.raw_asked.append((selector, from_s, to_s))
        times = np.arange(int(from_s) + 1, int(to_s) + 1) * 1000
        return [RawSeries({"__name__": selector}, times.astype(np.int64), np.ones(len(times)))]

    async def rules(self) -> Sequence[RuleGroup]:
        self._speak()
        evaluated = float(int(self.clock.now()))
        return [RuleGroup(one.file, one.name, one.interval_s, evaluated, one.rules) for one in self.groups]

    async def clock_reading(self) -> ClockReading:
        self._speak()
        return ClockReading(self.ahead_s, 0.001)

    async def of_itself(self) -> SelfMetrics:
        self._speak()
        if self.reserved:
            raise SourceFailed("no such page")
        return SelfMetrics(self.started_at, self.reloaded, {}, {}, None)

    def alive(self) -> bool:
        return not self.dead


class FakePort:
    """The source as a port: `clock` there is a question, not our clock."""

    marks = False

    def __init__(self, source: FakeSource) -> None:
        self.active, self.instant, self.raw = source.active, source.instant, source.raw
        self.rules, self.clock, self.alive = source.rules, source.clock_reading, source.alive
        self.of_itself = source.of_itself


class FakeProcesses:
    """Processes that live until told otherwise."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self.died: str | None = None
        self.confirmed = False
        self.renewed: list[float] = []
        self.announced: list[tuple[int, float]] = []
        self.let_go_at: float | None = None
        self.whole_from = 0.0

    def renew(self) -> None:
        self.renewed.append(self._clock.now())

    def announce(self, k: int, at: float) -> None:
        self.announced.append((k, at))

    def let_go(self, at: float) -> None:
        self.let_go_at = at

    def whole(self) -> bool:
        return self._clock.now() >= self.whole_from

    def dead(self) -> str | None:
        return self.died

    async def confirm(self) -> None:
        self.confirmed = True


class FakeJournal:
    """A journal in memory."""

    def __init__(self) -> None:
        self.records: list[records.Record] = []

    def write(self, record: records.Record) -> None:
        self.records.append(record)

    @property
    def notices(self) -> Sequence[records.Notice]:
        return [one for one in self.records if isinstance(one, records.Notice)]


class SilentProgress:
    """Nobody watches; notes are kept."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def segment(self, title: str, until: float | None) -> None:
        return None

    def alerts(self, active: Sequence[ActiveAlert]) -> None:
        return None

    def note(self, text: str) -> None:
        self.notes.append(text)


class World:
    """A drill in memory: change its parts, run it, look at what the director did."""

    def __init__(
        self,
        drill: Scenario,
        groups: Sequence[RuleGroup] | None = None,
        evaluation_s: float = 1.0,
        replicas: records.Replicas | None = None,
    ) -> None:
        groups = (group(alerting("A"), alerting("B")),) if groups is None else tuple(groups)
        self.clock = SteppedClock()
        self.plan = _plan(drill, groups)
        self.load = FakeLoad(self.plan, self.clock)
        self.source = FakeSource(self.clock, groups)
        self.other = FakeSource(self.clock, groups)
        sources = [self.source, self.other] if replicas is not None and replicas.apart else [self.source]
        names = replicas.names if replicas is not None and replicas.apart else (None,)
        asked = [
            Replica(name, FakePort(one), groups, drill, replicas) for name, one in zip(names, sources, strict=True)
        ]
        self.processes = FakeProcesses(self.clock)
        self.journal = FakeJournal()
        self.progress = SilentProgress()
        self.director = Director(
            self.plan, self.clock, self.load, asked, self.processes,
            self.journal, self.progress, ("monitor", "model"), 1.0, 1.0,
        )  # fmt: skip

    async def run(self) -> "World":
        """Run the drill to its end."""
        await self.director.run()
        return self

    def on_phase(self, name: str, what: Callable[[float], None]) -> None:
        """Call `what` with the start of a phase once it is announced."""
        before = self.load.on_announce

        def announced(kind: str, segment: str, at: float) -> None:
            before(kind, segment, at)
            if (kind, segment) == (SegmentKind.PHASE, name):
                what(at)

        self.load.on_announce = announced

    def fires(
        self, alert: str, phase: str, after_s: float, lasts_s: float, notified: bool = True, **labels: str
    ) -> None:
        """Have an alert fire so many seconds after a phase starts, and be posted."""

        def plan_it(start: float) -> None:
            fires = start + after_s
            self.source.episodes.append(Episode({"alertname": alert, **labels}, fires, fires, fires + lasts_s))
            if notified:
                self.clock.at(fires + 0.1, lambda: self.post(alert, **labels))

        self.on_phase(phase, plan_it)

    def post(self, alert: str, **labels: str) -> None:
        """Have the receiver get a firing alert."""
        named = {"alertname": alert, **labels}
        self.journal.write(
            records.Post(at=self.clock.now(), labels=named, status="firing", starts_at_ms=0, ends_at_ms=None)
        )

    def active(self, alert: str, begins_s: float, ends_s: float, **labels: str) -> None:
        """Have an alert fire between two instants of the drill."""
        self.source.episodes.append(Episode({"alertname": alert, **labels}, T0 + begins_s, T0 + begins_s, T0 + ends_s))

    def of(self, kind: type[records.R]) -> list[records.R]:
        """The records of a kind."""
        return [one for one in self.journal.records if isinstance(one, kind)]

    def troubles(self) -> list[str]:
        """The kinds of trouble, in order."""
        return [one.kind for one in self.of(records.Trouble)]

    def segments(self) -> list[tuple[str, str]]:
        """Kind and name of the segments that were announced."""
        return [(str(self.plan.segments[one.k].kind), self.plan.segments[one.k].name) for one in self.load.announced]

    def start_of(self, kind: str, name: str) -> float:
        """When a segment was announced to start, in seconds of the drill."""
        return self._announced(kind, name).at - T0

    def said_of(self, kind: str, name: str) -> float:
        """When a segment was announced, in seconds of the drill."""
        return self._announced(kind, name).said - T0

    def _announced(self, kind: str, name: str) -> Announced:
        return self.load.announced[self.segments().index((kind, name))]


def _plan(drill: Scenario, groups: Sequence[RuleGroup]) -> Plan:
    schema = Schema(protocol="json", path="/predict", features=(Feature(name="amount", kind="number"),))
    segments, injections = make_segments(drill, schema, tail_ms(drill, RuleBook.of(groups), 1000) / 1000)
    return Plan(
        run_id="run", seed=drill.seed, scenario_path="stepped.yaml", scenario=drill,
        target=TargetPlan(name="fraud", version="1", schema_=schema, sample_sha256=""),
        rules=(), segments=segments, injections=injections,
    )  # fmt: skip
