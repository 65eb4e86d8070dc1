"""Evaluates alert rules over the past of a Prometheus, span by span, and gathers what their verdicts need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from alertdrill.core.history.gaps import Instants, Interval, joined, outside, scrape_gaps, within
from alertdrill.core.history.inputs import inputs, is_written, reach_ms
from alertdrill.core.history.judging import Seen, Times, judged
from alertdrill.core.history.phases import Phase, phase_of
from alertdrill.core.history.result import RuleHistory
from alertdrill.core.history.spans import MOST_REACH_MS, Span
from alertdrill.core.observations import RawSeries, RuleGroup
from alertdrill.core.promql import Selector
from alertdrill.core.recording import is_stale, merge
from alertdrill.core.replay.dependencies import ALERT_SERIES, Place, Rules
from alertdrill.core.replay.grid import Grid
from alertdrill.core.replay.refusals import refusal, unknown_arrival
from alertdrill.core.replay.rule_changes import Written
from alertdrill.core.replay.visibility import Target, scrapes_by_target, target_of
from alertdrill.core.result import Code, Reason
from alertdrill.core.units import format_duration
from alertdrill.run.replay import Replayed, replay
from alertdrill.run.replay_engine import Refused, ReplayEngine, Unreadable


@dataclass(frozen=True)
class PastRules:
    """Rules that are to be evaluated over a past.

    Attributes:
        rules: all of them.
        written: where each stands.
        phases: of each group.
        places: the alerts that can be evaluated.
        reasons: why others cannot.
        reads: what each alert reads of the Prometheus.
        reach_ms: for how long a sample can matter to any of them.
    """

    rules: Rules
    written: Mapping[Place, Written]
    phases: tuple[Phase, ...]
    places: tuple[Place, ...]
    reasons: Mapping[Place, Reason]
    reads: Mapping[Place, tuple[Selector, ...]]
    reach_ms: int

    @property
    def alerts(self) -> tuple[Place, ...]:
        """All alerts, in the order of the files."""
        return tuple(place for place in self.rules.places if self.rules[place].type == "alerting")


def past_rules(
    rules: Rules,
    written: Mapping[Place, Written],
    asks: Mapping[Place, tuple[str, ...]],
    loaded: Sequence[RuleGroup],
    version: str,
    lookback_ms: int,
) -> PastRules:
    """Work out what rules read, when they are evaluated, and which of them can be.

    Args:
        rules: as their files have them.
        written: where each stands.
        asks: by rule, settings of its group that have no meaning here.
        loaded: the groups that the Prometheus shows.
        version: of the Prometheus.
        lookback_ms: how long it takes a sample for current.
    """
    alerts = [place for place in rules.places if rules[place].type == "alerting"]
    reach = {place: reach_ms(rules, place, lookback_ms) for place in alerts}
    reasons = {place: reason for place in alerts if (reason := _why_not(rules, place, asks, reach[place])) is not None}
    places = tuple(place for place in alerts if place not in reasons)
    return PastRules(
        rules,
        written,
        tuple(phase_of(group, loaded, version) for group in rules.groups),
        places,
        reasons,
        {place: inputs(rules, place) for place in places},
        max((reach[place] for place in places), default=lookback_ms),
    )


def _why_not(rules: Rules, place: Place, asks: Mapping[Place, tuple[str, ...]], reach: int) -> Reason | None:
    for one in sorted(rules.behind([place]), key=lambda each: (each.group, each.rule)):
        what = refusal(rules[one]) or next((f"its group has a {key}" for key in asks.get(one, ())), None)
        if what is not None:
            text = f"{rules[one].name} cannot be replayed exactly: {what}"
            return Reason(code=Code.NOT_REPLAYABLE, text=text, decide_it_by="drill it live")
    if reach > MOST_REACH_MS:
        text = f"it looks back {format_duration(reach // 1000)}, more than 30 days"
        return Reason(code=Code.NOT_REPLAYABLE, text=text, decide_it_by="shorten its windows")
    return None


def unreadable_rules(engine: ReplayEngine, past: PastRules, at_ms: int) -> dict[Place, str]:
    """The rules to be evaluated that an engine cannot read, and why."""
    found = {}
    for place in sorted(past.rules.behind(past.places), key=lambda one: (one.group, one.rule)):
        try:
            engine.at(past.rules[place].query, at_ms)
        except Unreadable as error:
            found[place] = str(error)
        except Refused:
            continue
    return found


@dataclass
class PastReplay:
    """What rules did so far; `replay` adds a span, in order of time.

    Attributes:
        past: the rules.
        outages: when the Prometheus scraped nothing, so that it evaluated nothing either.
    """

    past: PastRules
    outages: tuple[Interval, ...]
    questions: int = 0
    _alerts: list[RawSeries] = field(default_factory=list)
    _evaluated: dict[int, list[Instants]] = field(default_factory=dict)
    _failures: dict[Place, str] = field(default_factory=dict)
    _near: set[Place] = field(default_factory=set)
    _first_ms: dict[Selector, int] = field(default_factory=dict)
    _targets: dict[Selector, set[Target]] = field(default_factory=dict)
    _gaps: dict[Target, list[Interval]] = field(default_factory=dict)
    _unknown: dict[Selector, str] = field(default_factory=dict)

    def replay(self, engine: ReplayEngine, span: Span, series: Sequence[RawSeries]) -> None:
        """Evaluate the rules over a span.

        Args:
            engine: holds nothing yet.
            span: what counts, and from when on rules are evaluated.
            series: what was read of it, `up` of what is scraped included, markers among the samples.
        """
        rules = self.past.rules
        grids = [self._grid(phase, span) for phase in self.past.phases]
        scraped = [one for one in series if not is_written(rules, one.labels)]
        self._look(scraped, span)
        scrapes = scrapes_by_target(scraped) if span.exact else {}
        done = replay(engine, rules, grids, self.past.places, scraped, scrapes, {})
        self._take(done, grids, span)

    def _grid(self, phase: Phase, span: Span) -> Grid:
        grid = phase.grid(span.warm_ms, span.end_ms - 1)
        times = outside(grid.times_ms, self.outages)
        return Grid(times, times, np.zeros(len(times)), grid.interval_ms, grid.source)

    def _take(self, done: Replayed, grids: Sequence[Grid], span: Span) -> None:
        self.questions += done.questions
        for one in done.written:
            if one.labels["__name__"] == "ALERTS":
                kept = (one.times_ms >= span.begin_ms) & (one.times_ms < span.end_ms) & ~is_stale(one.values)
                if kept.any():
                    self._alerts.append(RawSeries(one.labels, one.times_ms[kept], one.values[kept]))
        for number, grid in enumerate(grids):
            inside = (grid.times_ms >= span.begin_ms) & (grid.times_ms < span.end_ms)
            self._evaluated.setdefault(number, []).append(grid.times_ms[inside])
        self._failures |= {place: said for place, (said, _) in done.failures.items() if place not in self._failures}
        if span.exact:
            self._near |= done.uncertain.keys()

    def _look(self, scraped: Sequence[RawSeries], span: Span) -> None:
        """Note since when there is what rules select, of which targets it is, and where these were not scraped."""
        live = [one for one in scraped if len(one.times_ms)]
        named: dict[str, list[RawSeries]] = {}
        for one in live:
            named.setdefault(one.labels.get("__name__", ""), []).append(one)
        up = named.get("up", [])
        for target, found in scrape_gaps(up).items():
            self._gaps.setdefault(target, []).extend(found)
        scrapes = scrapes_by_target(up)
        for selector in dict.fromkeys(one for read in self.past.reads.values() for one in read):
            candidates = named.get(selector.name, ()) if selector.name else live
            mine = [one for one in candidates if selector.matches(one.labels)]
            if mine:
                first = min(int(one.times_ms[0]) for one in mine)
                self._first_ms[selector] = min(first, self._first_ms.get(selector, first))
                self._targets.setdefault(selector, set()).update(
                    target for one in mine if (target := target_of(one)) in scrapes
                )
            if span.exact and selector.name not in ("up", *ALERT_SERIES):
                unknown = unknown_arrival(selector, mine, scrapes)
                if unknown is not None:
                    self._unknown[selector] = unknown

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of all rules of a group."""
        judged = {place.group for place in self.past.places}
        return tuple(
            f"group {group.name} is not loaded there: when it would be evaluated is assumed"
            for number, (group, phase) in enumerate(zip(self.past.rules.groups, self.past.phases, strict=True))
            if number in judged and phase.source == "assumed"
        )

    def judged(self, times: Times, held_ms: int | None, failed: Mapping[Selector, str]) -> tuple[RuleHistory, ...]:
        """What each alert did, in the order of the files.

        Args:
            times: what is looked at.
            held_ms: the first that the Prometheus holds; None: nobody knows.
            failed: selectors that could not be read, and why.
        """
        alerts = merge(self._alerts)
        return tuple(
            judged(
                self.past.rules,
                place,
                self.past.written[place],
                alerts,
                np.concatenate([np.empty(0, dtype=np.int64), *self._evaluated.get(place.group, [])]),
                times,
                self._seen(place, times, held_ms, failed),
            )
            for place in self.past.alerts
        )

    def _seen(self, place: Place, times: Times, held_ms: int | None, failed: Mapping[Selector, str]) -> Seen:
        if place in self.past.reasons:
            return Seen(why_not=self.past.reasons[place])
        reads = self.past.reads[place]
        broken = next((f"{one.text()}: {failed[one]}" for one in reads if one in failed), None)
        if broken is not None:
            fix = "raise its limits (query.max-samples, storage.remote.read-sample-limit), or narrow the selector"
            return Seen(why_not=Reason(code=Code.QUERY_FAILED, text=broken, decide_it_by=fix))
        blind, silent = self._blind(reads, times, held_ms), self._why_not_silent(place, reads, times)
        error_ms, notes = self._doubts(place, reads)
        return Seen(why_not_silent=silent, blind=blind, error_ms=error_ms, notes=notes)

    def _blind(self, reads: Sequence[Selector], times: Times, held_ms: int | None) -> tuple[Interval, ...]:
        """When a rule could not have been seen to fire: before all that it reads was there, in gaps and in outages."""
        start = max(
            [held_ms or times.history_ms, *(self._first_ms.get(one, times.to_ms) for one in _needed(reads))],
            default=times.history_ms,
        )
        return joined([(times.history_ms, max(start, times.history_ms)), *self.outages, *self._gaps_of(reads)])

    def _gaps_of(self, reads: Iterable[Selector]) -> list[Interval]:
        targets = {target for one in reads for target in self._targets.get(one, ())}
        return [gap for target in sorted(targets) for gap in self._gaps.get(target, ())]

    def _why_not_silent(self, place: Place, reads: Sequence[Selector], times: Times) -> Reason | None:
        missing = [one.text() for one in _needed(reads) if one not in self._first_ms]
        if missing:
            text = f"nothing was read of {', '.join(missing)}: no such series"
            return Reason(code=Code.SERIES_NOT_RECORDED, text=text, decide_it_by="correct the names, or record them")
        failing = next((one for one in self.past.rules.behind([place]) if one in self._failures), None)
        if failing is not None:
            text = f"{self.past.rules[failing].name} fails: {self._failures[failing]}"
            return Reason(code=Code.RULE_ERROR, text=text, decide_it_by="correct its expression")
        blind = within([*self.outages, *self._gaps_of(reads)], times.onset_ms, times.to_ms)
        if blind:
            begin, end = blind[0]
            where = f"{(begin - times.onset_ms) / 1000:g} s after the onset"
            text = f"what it reads was not scraped for {(end - begin) / 1000:g} s, {where}"
            return Reason(code=Code.SCRAPE_GAP, text=text, decide_it_by="nothing: the samples do not exist")
        return None

    def _doubts(self, place: Place, reads: Sequence[Selector]) -> tuple[int, tuple[str, ...]]:
        """How far off a rule's instants may be, and why."""
        phase = self.past.phases[place.group]
        notes = [self._unknown[one] for one in reads if one in self._unknown]
        if self.past.rules.behind([place]) & self._near:
            notes.append("some evaluations lie within 5 ms of the end of a scrape")
        doubtful = notes or phase.source == "assumed"
        return (phase.interval_ms if doubtful else 0), tuple(dict.fromkeys(notes))


def _needed(reads: Iterable[Selector]) -> list[Selector]:
    """What must exist for a rule's silence to mean something; of ALERTS there is nothing where nothing is active."""
    return [one for one in reads if one.name not in ALERT_SERIES]
