"""Small synthetic drills: plan, journal and recording of a world in which all went as planned, for tests to disturb.

Scrapes stand 100 ms and evaluations 400 ms after every whole second of the engine's clock. The default drill has a
baseline and one phase `nulls` that expects NullsHigh; nothing fires until `fire` or `detect` is called.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from alertdrill.core import journal as records
from alertdrill.core.attribution import Attribution, attribute
from alertdrill.core.case import Case
from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.plan import Plan, SegmentKind, TargetPlan, make_segments
from alertdrill.core.recording import Recording, merge
from alertdrill.core.result import ExpectationResult, Result
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.reading import read_scenario
from alertdrill.core.scope import RuleBook, tail_ms
from alertdrill.core.touch import Touch
from alertdrill.protocols.schema import Feature, FeatureKind, Schema
from alertdrill.run.checker import judge

T0_S = 1_800_000_000.0
INTERVAL_MS = 1000
SCRAPE_MS, EVALUATION_MS = 100, 400
STEADY_S, GATE_S, SETTLE_S = 4.0, 10.3, 25.0
INPUT = {"__name__": "values_total", "job": "monitor", "instance": "m:1", "feature": "amount", "cell": "null"}
UP = {"__name__": "up", "job": "monitor", "instance": "m:1"}

SCHEMA = Schema(
    features=(
        Feature(name="amount", kind=FeatureKind.NUMBER),
        Feature(name="hour", kind=FeatureKind.INTEGER),
        Feature(name="country", kind=FeatureKind.CATEGORY),
    )
)


def rule(name: str, query: str, for_s: float = 0.0, kind: str = "alerting", **labels: str) -> RuleInfo:
    """A healthy rule."""
    assert kind in ("alerting", "recording")
    return RuleInfo(name, kind, query, for_s, 0.0, labels, {}, "ok", "")


def group(*rules: RuleInfo, name: str = "drill") -> RuleGroup:
    """A group that is evaluated every second."""
    return RuleGroup("rules.yml", name, INTERVAL_MS / 1000, None, rules)


PART = 'sum by (feature) (rate(values_total{cell="null"}[5s]))'
RATIO = f"{PART} / sum by (feature) (rate(values_total[5s]))"
RULES = group(
    rule("nulls:ratio5s", RATIO, kind="recording"),
    rule("NullsHigh", "nulls:ratio5s > 0.05", 2.0, severity="P1"),
    rule("Slow", 'p95{job="monitor"} > 0.25', 2.0, severity="P1"),
    rule("Down", 'up{job="monitor"} == 0', 0.0, severity="P0"),
)


def nulls_phase(name: str = "nulls", **changes: Any) -> dict[str, Any]:
    """A phase of 20 s with nulls in half of the requests, that expects NullsHigh."""
    phase: dict[str, Any] = {
        "name": name,
        "duration": "20s",
        "faults": [{"kind": "nulls", "features": ["amount"], "share": "50%"}],
        "expect": [expect()],
    }
    return phase | changes


def expect(alert: str = "NullsHigh", **changes: Any) -> dict[str, Any]:
    """An expectation of an alert on `amount` within 10 s."""
    return {"alert": alert, "labels": {"feature": "amount"}, "within": "10s"} | changes


BASELINE = {"name": "baseline", "duration": "10s"}


def read(*phases: dict[str, Any], **changes: Any) -> Scenario:
    """A scenario with these phases."""
    values = {
        "version": 1,
        "name": "drill",
        "seed": 7,
        "target": {"bundled": "fraud"},
        "load": {"rate": "20/s", "arrivals": "constant"},
        "settle": {"timeout": "20s"},
        "phases": list(phases) or [BASELINE, nulls_phase()],
    }
    reading = read_scenario(values | changes)
    assert reading.findings == ()
    assert reading.scenario is not None
    return reading.scenario


def make_plan(scenario: Scenario, rules: RuleGroup = RULES) -> Plan:
    """The plan of a scenario on a target with three features."""
    tail_s = tail_ms(scenario, RuleBook.of([rules]), INTERVAL_MS) / 1000
    segments, injections = make_segments(scenario, SCHEMA, tail_s)
    return Plan(
        run_id="run", seed=scenario.seed, scenario_path="drill.yaml", scenario=scenario,
        target=TargetPlan(name="fraud", version="1", schema=SCHEMA, sample_sha256=""), rules=(), segments=segments,
        injections=injections,
    )  # fmt: skip


def process(started_ms: int | None = None, reloaded: bool = True) -> records.Process:
    """What the engine says of itself; it began an hour before the drill if nothing is said."""
    at_s = T0_S if started_ms is None else started_ms / 1000
    return records.Process(
        at=at_s, started_at=T0_S - 3600 if started_ms is None else started_ms / 1000, reloaded=reloaded
    )


class Drill:
    """The evidence of one drill, to be disturbed and judged.

    Attributes:
        journal: its records, in order.
        series: its samples; ALERTS are added by `fire`.
        to_ms: when the samples were read.
    """

    def __init__(
        self, *phases: dict[str, Any], rules: RuleGroup = RULES, gate_s: float = GATE_S, **changes: Any
    ) -> None:
        self.rules = rules
        self.plan = make_plan(read(*phases, **changes), rules)
        self.journal: list[records.Record] = []
        self.series: list[RawSeries] = []
        end_s = self._lay_out(gate_s)
        self.from_ms, self.to_ms = round(T0_S * 1000), round(end_s * 1000)
        self._scrape_all()
        self.add(records.Ended(at=end_s))

    # What happened

    def _lay_out(self, gate_s: float) -> float:
        self.add(
            records.Started(at=T0_S, environment={"python": "3"}),
            records.Engine(at=T0_S, version="2.42.0", scrape_interval_s=1.0, evaluation_interval_s=1.0),
            records.Rules(at=T0_S, groups=(self.rules,)),
            records.Clock(at=T0_S, offset_s=0.0, error_s=0.001),
        )
        lasts = {SegmentKind.STEADY: STEADY_S, SegmentKind.GATE: gate_s, SegmentKind.SETTLE: SETTLE_S}
        now = T0_S
        for segment in self.plan.segments:
            length_s = lasts.get(segment.kind, segment.duration_s)
            self.add(records.SegmentStarted(at=now, k=segment.k, start_at=now))
            self._send(segment.k, now, length_s)
            if segment.kind is SegmentKind.GATE:
                self.add(records.Gate(at=now + length_s, phase=segment.name, open=True))
            if segment.kind is SegmentKind.STEADY:
                self.add(records.SteadyState(at=now + 3.0, held=True, since=now + 2.0))
            now += length_s
        return now

    def _send(self, k: int, start: float, length_s: float) -> None:
        touch = Touch(self.plan)
        times = touch.schedule(k).at
        times = times[times < length_s]
        for one in self.plan.segment_injections(k):
            i = touch.mask(one, 0, len(times)).nonzero()[0].tolist()
            sent = [round(start + float(times[n]), 6) for n in i]
            served = tuple(at + 0.005 for at in sent)
            self.add(records.Touched(at=start, injection=one.id, k=k, i=tuple(i), effect_at=tuple(sent)))
            codes = (200,) * len(i)
            self.add(records.Served(at=start, injection=one.id, k=k, i=tuple(i), served_at=served, code=codes))
        n = int(touch.schedule(k).sent[: len(times)].sum())
        self.add(
            records.SegmentClosed(
                at=start + length_s, k=k, scheduled=len(times), sent=n, suppressed=len(times) - n, within_100ms=n,
                answered=n, failed=0, in_flight=0, first_sent=start, last_sent=start + length_s, error_p50_s=0.0,
                error_p99_s=0.001, error_max_s=0.002, payload_sha256=("00",),
            )
        )  # fmt: skip

    def _scrape_all(self) -> None:
        scraped = np.arange(self.from_ms + SCRAPE_MS, self.to_ms, INTERVAL_MS, dtype=np.int64)
        evaluated = np.arange(self.from_ms + EVALUATION_MS, self.to_ms, INTERVAL_MS, dtype=np.int64)
        self.record(UP, scraped, 1.0)
        self.record(UP | {"__name__": "scrape_duration_seconds"}, scraped, 0.01)
        self.record(INPUT, scraped, np.arange(len(scraped), dtype=np.float64))
        self.record({"__name__": "nulls:ratio5s", "feature": "amount"}, evaluated, 0.01)

    # Disturbing it

    def add(self, *more: records.Record) -> "Drill":
        """Append records."""
        self.journal += more
        return self

    def drop(self, kind: type[records.Record], where: Callable[[Any], bool] = lambda _: True) -> "Drill":
        """Leave records of one kind out."""
        self.journal = [one for one in self.journal if not (isinstance(one, kind) and where(one))]
        return self

    def change(
        self, kind: type[records.Record], where: Callable[[Any], bool] = lambda _: True, **update: Any
    ) -> "Drill":
        """Change fields of records of one kind; a callable gets the record and returns the value."""
        for at, one in enumerate(self.journal):
            if isinstance(one, kind) and where(one):
                values = {name: value(one) if callable(value) else value for name, value in update.items()}
                self.journal[at] = one.model_copy(update=values)
        return self

    def record(self, labels: dict[str, str], times_ms: Any, value: Any = 1.0) -> "Drill":
        """Add samples of one series: one value for all, or one each."""
        times = np.array(times_ms, dtype=np.int64)
        self.series.append(RawSeries(labels, times, np.broadcast_to(np.float64(value), times.shape).copy()))
        return self

    def hole(self, from_ms: int, to_ms: int, *names: str) -> "Drill":
        """Lose the samples between two instants, both excluded; of all metrics if none is named."""
        kept = []
        for one in self.series:
            keep = (one.times_ms <= from_ms) | (one.times_ms >= to_ms)
            hit = not names or one.labels["__name__"] in names
            kept.append(replace(one, times_ms=one.times_ms[keep], values=one.values[keep]) if hit else one)
        self.series = kept
        return self

    def restart(self, at_ms: int, takes_ms: int) -> "Drill":
        """Have the engine end at an instant and come back, with nothing scraped or evaluated meanwhile."""
        self.add(process(), process(at_ms + takes_ms))
        return self.hole(at_ms, at_ms + takes_ms)

    def cut(self, at_ms: int) -> "Drill":
        """End the recording early."""
        self.to_ms = at_ms
        return self.hole(at_ms, at_ms + 10**9)

    def fire(
        self, pending_ms: int, firing_ms: int | None, until_ms: int, alert: str = "NullsHigh", **labels: str
    ) -> "Drill":
        """Add an episode; `until_ms` is its last sample."""
        own = next((dict(one.labels) for one in self.rules.rules if one.name == alert), {})
        base = {"__name__": "ALERTS", "alertname": alert} | own | (labels or {"feature": "amount"})
        pending_to = until_ms + 1 if firing_ms is None else firing_ms
        self.record(base | {"alertstate": "pending"}, np.arange(pending_ms, pending_to, INTERVAL_MS))
        if firing_ms is not None:
            self.record(base | {"alertstate": "firing"}, np.arange(firing_ms, until_ms + 1, INTERVAL_MS))
        return self

    def detect(self, phase: str = "nulls", **labels: str) -> "Drill":
        """Have NullsHigh fire as it should: pending 1.2 s after the fault's start, resolved 6 s after its end."""
        pending = self.evaluation(self.start_ms(phase) + 1200)
        return self.fire(pending, pending + 2000, self.evaluation(self.last_ms(phase) + 4000), **labels)

    def post(self, at_ms: int, starts_at_ms: int, alert: str = "NullsHigh") -> "Drill":
        """Have the receiver get a post of a firing alert."""
        labels = {"alertname": alert, "severity": "P1", "feature": "amount"}
        post = records.Post(at=at_ms / 1000, labels=labels, status="firing", starts_at_ms=starts_at_ms, ends_at_ms=None)
        return self.add(post)

    # Asking it

    def evaluation(self, after_ms: int) -> int:
        """The first evaluation at or after an instant."""
        return after_ms + (EVALUATION_MS - after_ms) % INTERVAL_MS

    def start_ms(self, phase: str = "nulls") -> int:
        """First confirmed effect of the first fault of a phase."""
        first = self._delivery(phase).first_ms
        assert first is not None
        return first

    def last_ms(self, phase: str = "nulls") -> int:
        """Last confirmed effect of the first fault of a phase."""
        last = self._delivery(phase).last_ms
        assert last is not None
        return last

    def _delivery(self, phase: str) -> Any:
        return next(one for one in self.case().deliveries.values() if one.injection.phase == phase)

    def segment_ms(self, kind: SegmentKind, name: str) -> int:
        """Start of a segment."""
        k = next(one.k for one in self.plan.segments if (one.kind, one.name) == (kind, name))
        return self.case().starts_ms[k]

    def recording(self) -> Recording:
        """The recording as it is."""
        return Recording(self.from_ms, self.to_ms, merge(one for one in self.series if len(one.times_ms)))

    def case(self) -> Case:
        """The facts as they are."""
        return Case(self.plan, self.journal, self.recording())

    def attribution(self) -> Attribution:
        """Every episode, sorted."""
        return attribute(self.case())

    def judge(self) -> Result:
        """The result."""
        return judge(self.plan, self.journal, self.recording())

    def expectation(self, position: int = 0) -> ExpectationResult:
        """The result of one expectation."""
        return self.judge().expectations[position]


def outcome(one: ExpectationResult) -> tuple[str, str | None]:
    """Verdict and reason code, as text."""
    return one.verdict.value, one.reason.code.value if one.reason else None
