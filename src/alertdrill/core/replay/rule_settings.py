"""Rules as they would be with some settings changed, where they stand in their files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.observations import RuleInfo
from alertdrill.core.promql import PromqlError
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.expression_settings import NotOne, threshold, windows, with_threshold, with_window
from alertdrill.core.replay.settings import Choice, Name, Setting
from alertdrill.core.units import format_duration
from alertdrill.core.written_rules import WrittenGroup

_ANY_INTERVAL_S = 60.0
_FIX = "name an alert that has one (ALERT.NAME=VALUE), or change the rule's file"


@dataclass(frozen=True)
class _Loaded:
    groups: tuple[WrittenGroup, ...]
    rules: Rules

    @classmethod
    def of(cls, groups: Sequence[WrittenGroup]) -> "_Loaded":
        return cls(tuple(groups), Rules(tuple(one.loaded(_ANY_INTERVAL_S) for one in groups)))

    def alerts(self, name: str | None = None) -> tuple[Place, ...]:
        """The alerts of a name; all of them."""
        alerting = (place for place in self.rules.places if self.rules[place].type == "alerting")
        return tuple(place for place in alerting if name in (None, self.rules[place].name))

    def window_places(self, place: Place) -> frozenset[Place]:
        """An alert and the recording rules behind it."""
        behind = self.rules.behind([place])
        return frozenset(one for one in behind if one == place or self.rules[one].type == "recording")

    def mistake(self, choice: Choice, place: Place, got: str, expected: str, fix: str) -> Mistake:
        group = self.groups[place.group]
        line = group.rules[place.rule].lines.get("expr")
        return choice.mistake(f"{got} in {self.rules[place].name}", expected, fix, group.file, line)


def with_settings(groups: Sequence[WrittenGroup], choices: Sequence[Choice]) -> tuple[WrittenGroup, ...]:
    """Rules with other settings; a setting of an alert is stronger than that of all.

    `scrape_interval` is not theirs and changes nothing here. `window` changes all range selectors of an alert and of
    the recording rules behind it, which must have one range in common. `evaluation_interval` is that of groups; of an
    alert, that of the group in which it stands.

    Raises:
        BadInput: every setting that has no meaning for a rule, with the rule's file and line.
    """
    mistakes: list[Mistake] = []
    for choice in sorted(choices, key=lambda one: one.setting.alert is not None):
        loaded = _Loaded.of(groups)
        places = loaded.alerts(choice.setting.alert)
        if choice.setting.alert and not places:
            mistakes.append(_no_such(choice, loaded))
        wrong = list(_wrong(loaded, choice, places))
        groups = groups if wrong else _changed(loaded, choice, places)
        mistakes += wrong
    if mistakes:
        raise BadInput(mistakes)
    return tuple(groups)


def written_values(groups: Sequence[WrittenGroup], setting: Setting, evaluation_interval_s: float) -> frozenset[float]:
    """What the rules say of a setting: one value where they agree.

    Args:
        groups: the rules, to which the setting can be applied.
        setting: any but `scrape_interval`.
        evaluation_interval_s: of groups that state none.
    """
    loaded = _Loaded.of(groups)
    return frozenset(
        value
        for place in loaded.alerts(setting.alert)
        for value in _written(loaded, setting, place, evaluation_interval_s)
    )


def _written(loaded: _Loaded, setting: Setting, place: Place, usual_s: float) -> Iterator[float]:
    rule, group = loaded.rules[place], loaded.groups[place.group]
    if setting.name is Name.FOR:
        yield rule.for_s
    elif setting.name is Name.KEEP_FIRING_FOR:
        yield rule.keep_firing_for_s
    elif setting.name is Name.EVALUATION_INTERVAL:
        yield usual_s if group.interval_s is None else group.interval_s
    elif setting.name is Name.THRESHOLD:
        yield threshold(rule.query)
    elif setting.name is Name.WINDOW:
        for one in loaded.window_places(place):
            yield from windows(loaded.rules[one].query)


def _no_such(choice: Choice, loaded: _Loaded) -> Mistake:
    names = sorted({loaded.rules[place].name for place in loaded.alerts()})
    near = nearest(choice.setting.alert or "", names)
    fix = f"write {near}.{choice.setting.name}" if near else f"name one of {', '.join(names) or 'the loaded alerts'}"
    return choice.mistake(f"the alert {choice.setting.alert}", "an alert among the rules", fix)


def _wrong(loaded: _Loaded, choice: Choice, places: Sequence[Place]) -> Iterator[Mistake]:
    """Why a setting has no meaning for some alerts."""
    if choice.setting.name is Name.THRESHOLD:
        for place in places:
            try:
                with_threshold(loaded.rules[place].query, choice.value)
            except (NotOne, PromqlError) as error:
                expected = "one comparison with one plain number"
                yield loaded.mistake(choice, place, str(error), expected, _FIX)
    elif choice.setting.name is Name.WINDOW:
        for place in places:
            yield from _wrong_window(loaded, choice, place, frozenset(places))


def _wrong_window(loaded: _Loaded, choice: Choice, place: Place, chosen: frozenset[Place]) -> Iterator[Mistake]:
    changed = loaded.window_places(place)
    try:
        found = sorted({value for one in changed for value in windows(loaded.rules[one].query)})
    except (NotOne, PromqlError) as error:
        yield loaded.mistake(choice, place, str(error), "range selectors only", _FIX)
        return
    if len(found) != 1:
        got = f"ranges of {' and '.join(map(format_duration, found))}" if found else "no range"
        yield loaded.mistake(choice, place, f"{got}, recording rules included,", "one range for all", _FIX)
    others = {
        loaded.rules[other].name: loaded.rules[one].name
        for other in loaded.alerts()
        if other not in chosen
        for one in (changed & loaded.window_places(other)) - {place}
        if windows(loaded.rules[one].query)
    }
    for name, recorded in others.items():
        expected = "recording rules that only this alert reads"
        yield loaded.mistake(choice, place, f"{recorded}, which {name} reads too,", expected, "change the rules' files")


def _changed(loaded: _Loaded, choice: Choice, places: Sequence[Place]) -> tuple[WrittenGroup, ...]:
    name, value = choice.setting.name, choice.value
    if name is Name.EVALUATION_INTERVAL:
        inside = {place.group for place in places} if choice.setting.alert else range(len(loaded.groups))
        return tuple(replace(one, interval_s=value) if i in inside else one for i, one in enumerate(loaded.groups))
    touched = {one for place in places for one in loaded.window_places(place)} if name is Name.WINDOW else set(places)
    return tuple(
        replace(
            group,
            rules=tuple(
                replace(one, rule=_rule(one.rule, name, value)) if Place(g, r) in touched else one
                for r, one in enumerate(group.rules)
            ),
        )
        for g, group in enumerate(loaded.groups)
    )


def _rule(rule: RuleInfo, name: Name, value: float) -> RuleInfo:
    if name is Name.FOR:
        return replace(rule, for_s=value)
    if name is Name.KEEP_FIRING_FOR:
        return replace(rule, keep_firing_for_s=value)
    if name is Name.THRESHOLD:
        return replace(rule, query=with_threshold(rule.query, value))
    if name is Name.WINDOW and set(windows(rule.query)) != {value}:
        return replace(rule, query=with_window(rule.query, format_duration(value)))
    return rule
