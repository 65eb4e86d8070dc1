"""Which rule reads what which other rule writes, and so in which order they can be evaluated."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from alertdrill.core.matchers import may_match
from alertdrill.core.observations import RuleGroup, RuleInfo
from alertdrill.core.promql import PromqlError, Selector, selectors

ALERT_SERIES = ("ALERTS", "ALERTS_FOR_STATE")


@dataclass(frozen=True)
class Place:
    """One rule: the position of its group among all, and its own in the group. Rules run in this order."""

    group: int
    rule: int


@dataclass(frozen=True)
class Rules:
    """The rules of an engine, by where they stand."""

    groups: tuple[RuleGroup, ...]

    def __getitem__(self, place: Place) -> RuleInfo:
        return self.groups[place.group].rules[place.rule]

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """All of them, in order."""
        return tuple(Place(g, r) for g, group in enumerate(self.groups) for r in range(len(group.rules)))

    @cached_property
    def selectors(self) -> Mapping[Place, tuple[Selector, ...]]:
        """What each rule reads; nothing where its expression cannot be read, which refuses it."""
        return {place: _selectors(self[place].query) for place in self.places}

    @cached_property
    def reads(self) -> Mapping[Place, frozenset[Place]]:
        """The rules whose output each rule may read; itself too, where it reads what it wrote before."""
        outputs = {place: _outputs(self[place]) for place in self.places}
        return {
            place: frozenset(
                other
                for other, written in outputs.items()
                if any(_may_read(one, labels) for one in self.selectors[place] for labels in written)
            )
            for place in self.places
        }

    def behind(self, places: Iterable[Place]) -> frozenset[Place]:
        """Some rules with all that they read, through chains."""
        found: set[Place] = set()
        todo = list(places)
        while todo:
            place = todo.pop()
            if place not in found:
                found.add(place)
                todo += self.reads[place]
        return frozenset(found)

    @cached_property
    def entangled(self) -> frozenset[Place]:
        """Rules that read what a later one of their group, they themselves, or their own readers write."""
        return frozenset(
            place
            for place in self.places
            if any(other.group == place.group and other.rule >= place.rule for other in self.reads[place])
            or place in self.behind(self.reads[place])
        )

    def is_output(self, labels: Mapping[str, str]) -> bool:
        """Whether a series, by its name, is written by a rule."""
        return labels.get("__name__", "") in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        recorded = {self[place].name for place in self.places if self[place].type == "recording"}
        return frozenset({*recorded, *ALERT_SERIES})


def _selectors(query: str) -> tuple[Selector, ...]:
    try:
        return selectors(query)
    except PromqlError:
        return ()


def _outputs(rule: RuleInfo) -> tuple[dict[str, str], ...]:
    """The labels, as far as they are known, of what a rule writes."""
    fixed = {name: value for name, value in rule.labels.items() if "{{" not in value}
    if rule.type == "recording":
        return ({**fixed, "__name__": rule.name},)
    return tuple({**fixed, "alertname": rule.name, "__name__": name} for name in ALERT_SERIES)


def _may_read(selector: Selector, labels: Mapping[str, str]) -> bool:
    named = not selector.name or selector.name == labels["__name__"]
    return named and may_match(selector.matchers, labels)


@dataclass(frozen=True)
class Component:
    """Rules that hang together.

    Attributes:
        places: in an order in which each reads only what stands before it; in the order of their files if `singly`.
        singly: whether every instant must be evaluated by itself: a rule reads what a later one of its group, or what
            it itself, wrote at the evaluation before.
    """

    places: tuple[Place, ...]
    singly: bool


def components(rules: Rules, places: Iterable[Place]) -> tuple[Component, ...]:
    """The parts of some rules that do not read one another, in the order of their first rules."""
    inside = frozenset(places)
    linked: dict[Place, set[Place]] = defaultdict(set)
    for place in inside:
        for other in rules.reads[place] & inside:
            linked[place].add(other)
            linked[other].add(place)
    found, seen = [], set[Place]()
    for place in _in_file_order(inside):
        if place in seen:
            continue
        part, todo = set[Place](), [place]
        while todo:
            one = todo.pop()
            if one not in part:
                part.add(one)
                todo += linked[one]
        seen |= part
        found.append(_component(rules, frozenset(part)))
    return tuple(found)


def _component(rules: Rules, part: frozenset[Place]) -> Component:
    if part & rules.entangled:
        return Component(_in_file_order(part), singly=True)
    return Component(_sorted(rules, part), singly=False)


def _sorted(rules: Rules, part: frozenset[Place]) -> tuple[Place, ...]:
    """Rules that are not entangled, so that each reads only what stands before it."""
    done: dict[Place, None] = {}
    left = list(_in_file_order(part))
    while left:
        done |= dict.fromkeys(one for one in left if (rules.reads[one] & part) <= done.keys())
        left = [one for one in left if one not in done]
    return tuple(done)


def _in_file_order(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda one: (one.group, one.rule)))


def close_readers(rules: Rules, grids: Sequence[tuple[int, int]], within_ms: int) -> tuple[tuple[Place, Place], ...]:
    """Rules that read what another group writes less than `within_ms` before: which comes first live is chance.

    Args:
        rules: all of them.
        grids: of each group its interval and phase, ms.
        within_ms: how near.
    """
    return tuple(
        (place, other)
        for place in rules.places
        for other in sorted(rules.reads[place], key=lambda one: (one.group, one.rule))
        if other.group != place.group and _apart_ms(grids[place.group], grids[other.group]) < within_ms
    )


def _apart_ms(reader: tuple[int, int], writer: tuple[int, int]) -> int:
    """The least time from an evaluation of the writer to one of the reader, either way round."""
    shortest = min(reader[0], writer[0])
    apart = (reader[1] - writer[1]) % shortest
    return min(apart, shortest - apart)
