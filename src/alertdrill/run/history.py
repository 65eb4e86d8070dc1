"""Evaluates alert rules over the past of a Prometheus, span by span, and gathers what their verdicts need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from alertdrill.core.history.gaps import Instants, Interval, joined, outside, scrape_gaps, within
from alertdrill.core.history.inputs import is_written
from alertdrill.core.history.judging import Seen, Times, judged
from alertdrill.core.history.phases import Phase
from alertdrill.core.history.result import RuleHistory
from alertdrill.core.history.spans import Span
from alertdrill.core.observations import RawSeries
from alertdrill.core.promql import Selector
from alertdrill.core.recording import is_stale, merge
from alertdrill.core.replay.dependencies import ALERT_SERIES, Place
from alertdrill.core.replay.grid import Grid
from alertdrill.core.replay.refusals import unknown_arrival
from alertdrill.core.replay.visibility import Target, scrapes_by_target, target_of
from alertdrill.core.result import Code, Reason
from alertdrill.run.past_rules import PastRules, needed
from alertdrill.run.replay import Replayed, replay
from alertdrill.run.replay_engine import ReplayEngine


@dataclass
class PastReplay:
    """What rules did so far; `replay` adds a span, in order of time.

    Attributes:
        past: the rules.
        outages: when the Prometheus scraped nothing, so that it evaluated nothing either.
        metrics: by name when there were samples of a metric at all, a series a target; of those of which some rule
            selects no series.
    """

    past: PastRules
    outages: tuple[Interval, ...]
    metrics: Mapping[str, Sequence[RawSeries]] = field(default_factory=dict)
    questions: int = 0
    _alerts: list[RawSeries] = field(default_factory=list)
    _evaluated: dict[int, list[Instants]] = field(default_factory=dict)
    _failures: dict[Place, str] = field(default_factory=dict)
    _failed: dict[Place, list[Interval]] = field(default_factory=dict)
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
        for place, (said, failed) in done.failures.items():
            self._failures.setdefault(place, said)
            interval_ms = grids[place.group].interval_ms
            self._failed.setdefault(place, []).extend((at, at + interval_ms) for at in failed.tolist())
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
        blind, silent = self._blind(place, times, held_ms), self._why_not_silent(place, reads, times)
        error_ms, notes = self._doubts(place, reads)
        return Seen(why_not_silent=silent, blind=blind, error_ms=error_ms, notes=notes)

    def _blind(self, place: Place, times: Times, held_ms: int | None) -> tuple[Interval, ...]:
        """When a rule could not have been seen to fire: before what it reads was there, in gaps, outages, failing."""
        reads = self.past.reads[place]
        since = (self._since_ms(one) for one in needed(reads))
        start = max([held_ms or times.history_ms, *(times.to_ms if one is None else one for one in since)])
        early = (times.history_ms, max(start, times.history_ms))
        return joined([early, *self.outages, *self._gaps_of(reads), *self._failed_of(place)])

    def _since_ms(self, selector: Selector) -> int | None:
        """Since when there is what a selector asks for, or, where nothing fits it, its metric; None: there is none."""
        others = (int(one.times_ms[0]) for one in self.metrics.get(selector.name, ()))
        return self._first_ms.get(selector, min(others, default=None))

    def _gaps_of(self, reads: Iterable[Selector]) -> list[Interval]:
        targets = {target for one in reads for target in self._targets_of(one)}
        return [gap for target in sorted(targets) for gap in self._gaps.get(target, ())]

    def _targets_of(self, selector: Selector) -> Iterable[Target]:
        if selector in self._first_ms:
            return self._targets.get(selector, ())
        return (target_of(one) for one in self.metrics.get(selector.name, ()))

    def _failed_of(self, place: Place) -> list[Interval]:
        return [one for behind in self.past.rules.behind([place]) for one in self._failed.get(behind, ())]

    def _why_not_silent(self, place: Place, reads: Sequence[Selector], times: Times) -> Reason | None:
        missing = [one.text() for one in needed(reads) if self._since_ms(one) is None]
        if missing:
            text = f"nothing was read of {', '.join(missing)}: no such metric"
            return Reason(code=Code.SERIES_NOT_RECORDED, text=text, decide_it_by="correct the names, or record them")
        behind = self.past.rules.behind([place])
        failing = next((one for one in behind if within(self._failed.get(one, ()), times.onset_ms, times.to_ms)), None)
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
        notes += [
            f"no series fits {one.text()}, while there are others of that name: it counts as nothing"
            for one in needed(reads)
            if one not in self._first_ms and one.name in self.metrics
        ]
        return (phase.interval_ms if doubtful else 0), tuple(dict.fromkeys(notes))
