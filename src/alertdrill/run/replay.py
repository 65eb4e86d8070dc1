"""Evaluates rules over recorded scrapes with a real engine, so that every instant sees exactly what it saw live."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import LabelKey, merge
from alertdrill.core.replay.alert_state import Active
from alertdrill.core.replay.dependencies import Component, Place, Rules, components
from alertdrill.core.replay.grid import Grid
from alertdrill.core.replay.visibility import NEVER, Batch, Scrapes, Target, batches, near, races, target_of
from alertdrill.run.replay_engine import ReplayEngine
from alertdrill.run.replayed_rule import ReplayedRule

Instants = NDArray[np.int64]


@dataclass(frozen=True)
class Replayed:
    """What a replay came to.

    Attributes:
        written: what the rules wrote, one series a label set.
        failures: by rule the instants (ms) at which it failed, and what the engine said first.
        given_up: rules that failed so often that they were not asked on.
        questions: how many were put to the engine.
        uncertain: by rule the instants (ms) that live may have gone either way.
    """

    written: tuple[RawSeries, ...]
    failures: Mapping[Place, tuple[str, Instants]]
    given_up: frozenset[Place]
    questions: int
    uncertain: Mapping[Place, Instants]


def replay(
    engine: ReplayEngine,
    rules: Rules,
    grids: Sequence[Grid],
    places: Iterable[Place],
    scraped: Sequence[RawSeries],
    scrapes: Mapping[Target, Scrapes],
    active: Mapping[Place, Mapping[LabelKey, Active]],
) -> Replayed:
    """Evaluate some rules, with all that they read, at the instants of their groups.

    Args:
        engine: holds nothing yet.
        rules: all of them.
        grids: of each group.
        places: the rules in question.
        scraped: what was recorded, staleness markers included, nothing that rules wrote.
        scrapes: when what could be seen.
        active: alerts that are active before the first evaluation, by rule.
    """
    return _Replay(engine, rules, grids, rules.behind(places), scraped, scrapes, active).run()


class _Feed:
    """What was scraped, handed out in the order in which it could be seen."""

    def __init__(self, scraped: Sequence[RawSeries], scrapes: Mapping[Target, Scrapes]) -> None:
        self._series = [one for one in scraped if len(one.times_ms)]
        self._seen = [
            scrapes[target_of(one)].seen(one.times_ms) if target_of(one) in scrapes else one.times_ms
            for one in self._series
        ]
        self._sizes = np.array([len(seen) for seen in self._seen], dtype=np.int64)
        self._given = np.zeros(len(self._series), dtype=np.int64)
        self._next = np.array([seen[0] for seen in self._seen], dtype=np.int64)

    def until(self, stored_ms: int) -> list[RawSeries]:
        """What could be seen by then and has not been handed out."""
        found = []
        for i in np.flatnonzero((self._next <= stored_ms) & (self._given < self._sizes)).tolist():
            series, seen, begin = self._series[i], self._seen[i], int(self._given[i])
            end = int(np.searchsorted(seen, stored_ms, side="right"))
            found.append(RawSeries(series.labels, series.times_ms[begin:end], series.values[begin:end]))
            self._given[i], self._next[i] = end, seen[end] if end < len(seen) else NEVER
        return found


@dataclass(frozen=True, eq=False)
class _Line:
    """Evaluations in the order in which they began: of which of the places, about which instant; shape (n,) each."""

    places: tuple[Place, ...]
    which: NDArray[np.int64]
    times_ms: Instants
    began_ms: Instants


@dataclass(frozen=True, eq=False)
class _Stage:
    """Evaluations of a component, which has a number, that are asked for together."""

    number: int
    component: Component
    line: _Line
    batch: Batch


def _order(stage: _Stage) -> tuple[int, int, int]:
    return stage.batch.stored_ms, stage.number, stage.batch.begin


class _Replay:
    def __init__(
        self,
        engine: ReplayEngine,
        rules: Rules,
        grids: Sequence[Grid],
        places: frozenset[Place],
        scraped: Sequence[RawSeries],
        scrapes: Mapping[Target, Scrapes],
        active: Mapping[Place, Mapping[LabelKey, Active]],
    ) -> None:
        self._engine, self._rules, self._grids, self._places = engine, rules, grids, places
        self._scraped, self._scrapes = scraped, scrapes
        self._feed = _Feed(scraped, scrapes)
        self._asked = {
            place: ReplayedRule(engine, rules[place], grids[place.group].interval_ms, active.get(place, {}))
            for place in places
        }
        self._read = frozenset(other for place in places for other in rules.reads[place])
        self._written: list[RawSeries] = []

    def run(self) -> Replayed:
        staged = self._rules.behind(one for one in self._places if one in self._rules.entangled or self._races(one))
        for stored_ms, stages in groupby(sorted(self._stages(staged), key=_order), key=lambda one: one.batch.stored_ms):
            self._store(stored_ms)
            apart = [partial(self._stage, list(own)) for _, own in groupby(stages, key=lambda one: one.number)]
            self._keep(self._engine.together(apart))
        self._store(NEVER)
        free = components(self._rules, self._places - staged)
        self._keep(self._engine.together([partial(self._whole, one) for one in free]))
        failed = {place: one for place, one in self._asked.items() if one.failed}
        return Replayed(
            merge(self._written),
            {place: (one.said, np.array(sorted(one.failed), dtype=np.int64)) for place, one in failed.items()},
            frozenset(place for place, one in failed.items() if one.given_up),
            sum(one.questions for one in self._asked.values()),
            {place: found for place in self._places if len(found := self._uncertain(place))},
        )

    def _keep(self, written: Iterable[list[RawSeries]]) -> None:
        self._written += [one for part in written for one in part]

    def _stages(self, staged: frozenset[Place]) -> Iterator[_Stage]:
        """The evaluations of rules that race with scrapes, or are entangled, and of what they read.

        All other rules come last: what they read is written by then, and they see everything that was scraped.
        """
        for number, component in enumerate(components(self._rules, staged)):
            line = self._line(component)
            for batch in batches(line.times_ms, line.began_ms, self._targets(component.places)):
                yield _Stage(number, component, line, batch)

    def _line(self, component: Component) -> _Line:
        """Every evaluation of some rules, in the order in which they began."""
        places = sorted(component.places, key=lambda one: (one.group, one.rule))
        times = [self._grids[place.group].times_ms for place in places]
        began = np.concatenate([self._began(place) for place in places])
        which = np.repeat(np.arange(len(places)), [len(one) for one in times])
        order = np.argsort(began, kind="stable")
        return _Line(tuple(places), which[order], np.concatenate(times)[order], began[order])

    def _began(self, place: Place) -> Instants:
        return self._grids[place.group].began(place.rule, len(self._rules.groups[place.group].rules))

    def _store(self, until_ms: int) -> None:
        fresh = self._feed.until(until_ms)
        if fresh:
            self._engine.write(fresh)

    def _races(self, place: Place) -> bool:
        return races(self._grids[place.group].times_ms, self._began(place), self._targets([place]))

    def _uncertain(self, place: Place) -> Instants:
        grid = self._grids[place.group]
        latest = grid.began_ms + np.ceil(grid.took_ms).astype(np.int64)
        return near(grid.times_ms, grid.began_ms, latest, self._targets([place]))

    def _targets(self, places: Iterable[Place]) -> list[Scrapes]:
        """The scrapes of what some rules themselves select."""
        found = {target for place in places for target in self._selected[place]}
        return [self._scrapes[target] for target in sorted(found)]

    @cached_property
    def _selected(self) -> Mapping[Place, frozenset[Target]]:
        by_name: dict[str, list[RawSeries]] = {}
        for one in self._scraped:
            by_name.setdefault(one.labels.get("__name__", ""), []).append(one)
        return {
            place: frozenset(
                target_of(one)
                for selector in self._rules.selectors[place]
                for one in (by_name.get(selector.name, ()) if selector.name else self._scraped)
                if target_of(one) in self._scrapes and selector.matches(one.labels)
            )
            for place in self._places
        }

    def _stage(self, stages: Iterable[_Stage]) -> list[RawSeries]:
        """What the rules of one component write at some of their evaluations."""
        return [one for stage in stages for one in self._evaluated(stage)]

    def _evaluated(self, stage: _Stage) -> Iterator[RawSeries]:
        line, inside = stage.line, slice(stage.batch.begin, stage.batch.end)
        which, times = line.which[inside], line.times_ms[inside]
        if stage.component.singly:
            for number, at in zip(which.tolist(), times.tolist(), strict=True):
                yield from self._take(line.places[number], np.array([at], dtype=np.int64))
        else:
            for place in stage.component.places:
                yield from self._take(place, times[which == line.places.index(place)])

    def _whole(self, component: Component) -> list[RawSeries]:
        """What rules write that see everything that was scraped, at all their evaluations."""
        return [one for place in component.places for one in self._take(place, self._grids[place.group].times_ms)]

    def _take(self, place: Place, times_ms: Instants) -> list[RawSeries]:
        written = self._asked[place].evaluate(times_ms)
        if written and place in self._read:
            self._engine.write(written)
        return written
