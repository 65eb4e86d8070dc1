"""What was changed in a rule, in a few words: `data.yml:14 0.05→0.5`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from alertdrill.core.observations import RuleGroup, RuleInfo
from alertdrill.core.promql import PromqlError, parse
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.evidence import same_expression
from alertdrill.core.units import format_duration

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[\w:.]+|[<>=!~]+|\S')
MOST_TOKENS = 3
SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Written:
    """Where a rule stands: the file as it was given, and the line of each of its keys."""

    file: str
    lines: Mapping[str, int]

    def at(self, key: str, further: int = 0) -> str:
        """`file:line` of a value, or of a line below its first; the file alone where no line is known."""
        if not self.lines:
            return self.file
        return f"{self.file}:{self.lines.get(key, min(self.lines.values())) + further}"


def causes(before: Rules, after: Rules, written: Mapping[Place, Written], alert: str) -> tuple[str, ...]:
    """What was changed in the rules of an alert and in all that they read, in the order of the files.

    Args:
        before: the rules as they were.
        after: as they are.
        written: where each of those stands.
        alert: its name.
    """
    found = dict.fromkeys(_of_places(before, after, written, _behind(after, alert)))
    kept = {_identity(after[place]) for place in after.places}
    gone = [
        before[place] for place in sorted(_behind(before, alert), key=_order) if _identity(before[place]) not in kept
    ]
    return (*found, *dict.fromkeys(f"{_named(rule)} is removed" for rule in gone))


def _behind(rules: Rules, alert: str) -> frozenset[Place]:
    return rules.behind(one for one in rules.places if rules[one].type == "alerting" and rules[one].name == alert)


def _of_places(
    before: Rules, after: Rules, written: Mapping[Place, Written], places: frozenset[Place]
) -> Iterator[str]:
    for place in sorted(places, key=_order):
        rule, where = after[place], written[place]
        same_name = [one for one in before.places if _identity(before[one]) == _identity(rule)]
        if not same_name:
            yield f"{where.at('alert' if rule.type == 'alerting' else 'record')} {_named(rule)} is new"
            continue
        other = min(same_name, key=lambda one: sum(1 for _ in _differences(before[one], rule, where)))
        yield from _differences(before[other], rule, where)
        yield from _of_group(before.groups[other.group], after.groups[place.group], where)


def _differences(old: RuleInfo, new: RuleInfo, where: Written) -> Iterator[str]:
    if not same_expression(old.query, new.query):
        yield from _of_expression(old.query, new.query, where)
    for key, was, now in (
        ("for", old.for_s, new.for_s),
        ("keep_firing_for", old.keep_firing_for_s, new.keep_firing_for_s),
    ):
        if was != now:
            yield f"{where.at(key)} {key} {format_duration(was)}→{format_duration(now)}"
    for name in sorted({*old.labels, *new.labels}):
        got, had = new.labels.get(name), old.labels.get(name)
        if got != had:
            yield f"{where.at('labels')} {name} {'none' if had is None else had}→{'none' if got is None else got}"


def _of_group(old: RuleGroup, new: RuleGroup, where: Written) -> Iterator[str]:
    if old.interval_s != new.interval_s:
        was, now = format_duration(old.interval_s), format_duration(new.interval_s)
        yield f"{where.file} interval of group {new.name} {was}→{now}"


def _of_expression(old: str, new: str, where: Written) -> Iterator[str]:
    had, has = _tokens(_plain(old)), _tokens(_plain(new))
    differ = [i for i, (a, b) in enumerate(zip(had, has, strict=False)) if a != b]
    if len(had) != len(has) or len(differ) > MOST_TOKENS:
        yield f"{where.at('expr')} {_short(' '.join(old.split()))} → {_short(' '.join(new.split()))}"
        return
    for i in differ:
        ordinal = has[:i].count(has[i])
        yield f"{where.at('expr', _lines_above(new, has[i], ordinal))} {had[i]}→{has[i]}"


def _lines_above(text: str, token: str, ordinal: int) -> int:
    """How many lines of a text stand above one occurrence of a token."""
    found = next(islice((one for one in _TOKEN.finditer(text) if one[0] == token), ordinal, None), None)
    return text.count("\n", 0, found.start()) if found else 0


def _plain(query: str) -> str:
    try:
        return str(parse(query).prettify())
    except PromqlError:
        return query


def _tokens(query: str) -> list[str]:
    return _TOKEN.findall(query)


def _identity(rule: RuleInfo) -> tuple[str, str]:
    return rule.type, rule.name


def _named(rule: RuleInfo) -> str:
    return f"alert {rule.name}" if rule.type == "alerting" else f"record {rule.name}"


def _order(place: Place) -> tuple[int, int]:
    return place.group, place.rule


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
