"""The order in which a replay stores and asks, with an engine that remembers both."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from tests.unit.core.replay.worded import alert, group, loaded, record, series

from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import LabelKey, is_stale, label_key
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.grid import Grid
from alertdrill.core.replay.visibility import scrapes_by_target
from alertdrill.run.replay import Replayed, replay
from alertdrill.run.replay_engine import Refused
from alertdrill.run.replayed_rule import MOST_FAILURES

T = TypeVar("T")
TARGET = {"job": "model", "instance": "m:1"}
SCRAPES = [0, 1000, 2000, 3000]


class Engine:
    """Returns the newest stored sample of the metric that a query names; `twice(x)` returns it as two series."""

    def __init__(self) -> None:
        self.stored: dict[LabelKey, list[tuple[int, float]]] = {}
        self.asked: list[tuple[str, int, int]] = []
        self.refuses_ranges = False
        self.refuses_at: set[int] = set()

    def write(self, written: Sequence[RawSeries]) -> None:
        for one in written:
            kept = self.stored.setdefault(label_key(one.labels), [])
            assert not kept or kept[-1][0] < one.times_ms[0], "samples of a series come in order"
            kept += zip(one.times_ms.tolist(), one.values.tolist(), strict=True)

    def at(self, query: str, time_ms: int) -> list[RawSeries]:
        self.asked.append((query, time_ms, time_ms))
        if time_ms in self.refuses_at:
            raise Refused("division by fish")
        return self._answer(query, [time_ms])

    def over(self, query: str, first_ms: int, last_ms: int, step_ms: int) -> list[RawSeries]:
        self.asked.append((query, first_ms, last_ms))
        times = list(range(first_ms, last_ms + 1, step_ms))
        if self.refuses_ranges or self.refuses_at.intersection(times):
            raise Refused("not as a range")
        return self._answer(query, times)

    def expand(self, labels: Mapping[str, str], samples: Sequence[tuple[LabelKey, float]]) -> list[dict[str, str]]:
        return [
            {name: f"{value} {dict(key)['job']} {number:g}" for name, value in labels.items()}
            for key, number in samples
        ]

    def together(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        return [task() for task in tasks]

    def _answer(self, query: str, times: list[int]) -> list[RawSeries]:
        name = query.removeprefix("twice(").removesuffix(")")
        found = []
        for key, samples in self.stored.items():
            if dict(key)["__name__"] == name:
                seen = [(at, [one for one in samples if one[0] <= at][-1:]) for at in times]
                points = [(at, one[0][1]) for at, one in seen if one and not is_stale(np.array([one[0][1]]))[0]]
                labels = {k: v for k, v in key if k != "__name__"}
                at, values = (np.array(part) for part in zip(*points, strict=True))
                twins = ({"n": "1"}, {"n": "2"}) if query != name else ({},)
                found += [RawSeries({**labels, **more}, at, values) for more in twins]
        return found


def grid(*times: int) -> Grid:
    at = np.array(times, dtype=np.int64)
    return Grid(at, at, np.zeros(len(at)), 1000, "recorded")


def replayed(engine: Engine, rules: Rules, *grids: Grid, took_s: float = 0.01) -> Replayed:
    scraped = [
        series("x", SCRAPES, [10.0, 11.0, 12.0, 13.0], **TARGET),
        series("up", SCRAPES, **TARGET),
        series("scrape_duration_seconds", SCRAPES, [took_s] * 4, **TARGET),
    ]
    return replay(engine, rules, grids, rules.places, scraped, scrapes_by_target(scraped), {})


def values(found: Replayed, name: str) -> list[tuple[int, float]]:
    (one,) = [each for each in found.written if each.labels["__name__"] == name]
    return list(zip(one.times_ms.tolist(), one.values.tolist(), strict=True))


def test_an_evaluation_sees_the_scrape_before_where_the_newest_is_not_over() -> None:
    rules = loaded(group(record("a:b", "x")))
    assert values(replayed(Engine(), rules, grid(1300, 2300), took_s=0.4), "a:b") == [(1300, 10.0), (2300, 11.0)]
    assert values(replayed(Engine(), rules, grid(1300, 2300), took_s=0.2), "a:b") == [(1300, 11.0), (2300, 12.0)]


def test_a_scrape_that_ends_while_a_group_is_evaluated_is_seen_by_its_later_rules_alone() -> None:
    at = np.array([1300, 2300], dtype=np.int64)
    slow = Grid(at, at + 5, np.array([100.0, 100.0]), 1000, "recorded")
    rules = loaded(group(record("a:b", "x"), record("c:d", "x"), alert("A", "a:b + c:d")))
    found = replayed(Engine(), rules, slow, took_s=0.31)  # over at 1313; the second rule began at 1338
    assert values(found, "a:b") == [(1300, 10.0), (2300, 11.0)]
    assert values(found, "c:d") == [(1300, 11.0), (2300, 12.0)]


def test_where_nothing_races_a_rule_is_asked_once() -> None:
    engine = Engine()
    replayed(engine, loaded(group(record("a:b", "x"), alert("A", "a:b"))), grid(500, 1500, 2500))
    assert engine.asked == [("x", 500, 2500), ("a:b", 500, 2500)]


def test_a_rule_reads_what_the_one_before_it_wrote_also_where_the_first_races() -> None:
    rules = loaded(group(record("a:b", "x"), record("c:d", "a:b")))
    assert values(replayed(Engine(), rules, grid(1300, 2300), took_s=0.4), "c:d") == [(1300, 10.0), (2300, 11.0)]


def test_a_rule_reads_what_a_later_one_of_its_group_wrote_an_evaluation_ago() -> None:
    rules = loaded(group(record("c:d", "a:b"), record("a:b", "x")))
    assert values(replayed(Engine(), rules, grid(500, 1500, 2500)), "c:d") == [(1500, 10.0), (2500, 11.0)]


def test_only_the_instants_of_the_grid_count() -> None:
    found = replayed(Engine(), loaded(group(record("a:b", "x"))), grid(500, 2500))
    assert values(found, "a:b") == [(500, 10.0), (2500, 12.0)]


def test_a_range_that_is_refused_is_asked_instant_by_instant() -> None:
    engine = Engine()
    engine.refuses_ranges = True
    found = replayed(engine, loaded(group(record("a:b", "x"))), grid(500, 1500, 2500))
    assert values(found, "a:b") == [(500, 10.0), (1500, 11.0), (2500, 12.0)]
    assert not found.failures


def test_an_instant_that_fails_is_told_and_the_others_stand() -> None:
    engine = Engine()
    engine.refuses_at = {1500}
    rules = loaded(group(record("a:b", "x")))
    found = replayed(engine, rules, grid(500, 1500, 2500))
    ((said, at),) = found.failures.values()
    assert (said, at.tolist()) == ("division by fish", [1500])
    assert values(found, "a:b") == [(500, 10.0), (2500, 12.0)]


def test_a_rule_that_always_fails_is_given_up() -> None:
    engine = Engine()
    times = range(500, 500 + 300 * 10, 10)
    engine.refuses_at = set(times)
    rules = loaded(group(record("a:b", "x"), interval_s=0.01))
    at = np.array(times, dtype=np.int64)
    found = replayed(engine, rules, Grid(at, at, np.zeros(len(at)), 10, "recorded"))
    assert found.given_up == set(rules.places)
    assert len(engine.asked) < 3 * MOST_FAILURES
    ((_, failed),) = found.failures.values()
    assert len(failed) == 300


def test_two_series_with_the_same_labels_make_a_rule_fail() -> None:
    found = replayed(Engine(), loaded(group(alert("A", "twice(x)", labels={"n": "same"}))), grid(500, 1500))
    ((said, at),) = found.failures.values()
    assert "same labelset" in said
    assert at.tolist() == [500, 1500]


def test_labels_of_a_rule_win_and_empty_ones_take_a_label_away() -> None:
    found = replayed(Engine(), loaded(group(alert("A", "x", labels={"job": "", "team": "ml"}))), grid(500, 1500))
    labels = [one.labels for one in found.written if one.labels["__name__"] == "ALERTS"]
    assert labels == [{"__name__": "ALERTS", "alertname": "A", "alertstate": "firing", "instance": "m:1", "team": "ml"}]


def test_templates_of_labels_are_the_engine_s_work() -> None:
    found = replayed(Engine(), loaded(group(alert("A", "x", labels={"who": "{{ $value }}"}))), grid(500, 1500))
    who = sorted(one.labels["who"] for one in found.written if one.labels["__name__"] == "ALERTS")
    assert who == ["{{ $value }} model 10", "{{ $value }} model 11"]


def test_whatever_is_asked_afterwards_finds_everything_stored() -> None:
    engine = Engine()
    replayed(engine, loaded(group(record("a:b", "x"))), grid(1300), took_s=0.4)
    assert [value for _, value in engine.stored[label_key({"__name__": "x", **TARGET})]] == [10.0, 11.0, 12.0, 13.0]
