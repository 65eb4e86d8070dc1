"""Recorded drills under settings that nobody has written down yet: `replay --set`, one value or a sweep of several."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from alertdrill.adapters.signals import run_until_signalled
from alertdrill.compose.live_rules import live_rules
from alertdrill.compose.recorded import Recorded, read_all_recorded
from alertdrill.compose.replay import (
    Note,
    Variant,
    befores,
    compared,
    programs_of,
)
from alertdrill.compose.rule_set import RuleSet, read_rule_set
from alertdrill.compose.thinned import said_of, scrape_intervals_s, thinned_recording
from alertdrill.core.collected import collected
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.replay.comparison import RecordingReplay, ReplayResult, conclude
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.rule_settings import with_settings, written_values
from alertdrill.core.replay.settings import Choice, Name, Setting, points
from alertdrill.core.replay.sweep import SweptValue
from alertdrill.core.replay.swept import chosen_values, point, sweep, written_value

Choices = tuple[Choice, ...]


def what_if(
    folders: Sequence[Path],
    rules: Sequence[Path],
    against: Sequence[Path] | None,
    settings: Sequence[Setting],
    fail_on: Sequence[str],
    note: Note,
) -> ReplayResult:
    """Judge recorded drills again under other settings, and compare. Call it from the main thread.

    Settings with several values make a sweep: every combination is replayed; all else in the result is without them.

    Args:
        folders: of drills, as they left them.
        rules: the rule files that the settings apply to, or folders of them; none: the rules of the live drills.
        against: those to compare with, without the settings; None: the live drills.
        settings: at least one.
        fail_on: what makes the verdict `failed`.
        note: takes a line about each step.

    Raises:
        BadInput: a recording, a rule file or a setting cannot be used, or there is no Prometheus of a recording's
            major version.
        AlertdrillError: a Prometheus of a replay failed.
    """
    recorded = read_all_recorded(folders)
    programs = programs_of(recorded)
    given, base = read_rule_set(rules) if rules else None, read_rule_set(against) if against is not None else None
    question = _Question([(one, given or live_rules(one)) for one in recorded], settings)
    variants = question.all_variants()

    async def replayed() -> list[RecordingReplay]:
        return await compared(variants, await befores(recorded, base, programs), programs, note)

    found = run_until_signalled(replayed())
    whole, many = found[: len(recorded)], [found[i : i + len(recorded)] for i in range(0, len(found), len(recorded))]
    sources = () if given is None else given.sources
    texts = tuple(one.text for one in question.fixed)
    result = conclude(sources, None if base is None else base.sources, fail_on, whole, texts)
    if not question.swept:
        return result
    written, *others = (
        point(question.values(choices), question.is_written(choices), replays, fail_on)
        for choices, replays in zip(question.combinations, many, strict=True)
    )
    return result.model_copy(update={"sweep": sweep(question.swept, others, written)})


@dataclass
class _Question:
    """What is asked of which recordings, and the variants that it takes to answer."""

    asked: Sequence[tuple[Recorded, RuleSet]]
    settings: Sequence[Setting]
    _fewer: dict[tuple[Path, float], Recorded] = field(default_factory=dict)
    _made: dict[Choices, list[Variant]] = field(default_factory=dict)

    @property
    def swept(self) -> tuple[Setting, ...]:
        """Those with several values."""
        return tuple(one for one in self.settings if one.is_swept)

    @property
    def fixed(self) -> Choices:
        """The others."""
        return tuple(Choice(one, one.values[0]) for one in self.settings if not one.is_swept)

    @property
    def combinations(self) -> tuple[Choices, ...]:
        """Of the values that are swept; the first is none of them."""
        return ((), *(points(self.swept) if self.swept else ()))

    def variants(self, choices: Choices) -> list[Variant]:
        """One of each recording.

        Raises:
            BadInput: a setting has no meaning for rules or recordings.
        """
        if choices not in self._made:
            mistakes: list[Mistake] = []
            made = [collected(mistakes, partial(self._variant, one, rules, choices)) for one, rules in self.asked]
            if mistakes:
                raise BadInput(tuple(dict.fromkeys(mistakes)))
            self._made[choices] = [one for one in made if one is not None]
        return self._made[choices]

    def all_variants(self) -> list[Variant]:
        """Those of every combination, in order.

        Raises:
            BadInput: as `variants`; what is wrong with fixed and swept settings is said together.
        """
        nothing, *others = self.combinations
        for choices in (*others, nothing):
            self.variants(choices)
        return [one for choices in (nothing, *others) for one in self.variants(choices)]

    def is_written(self, choices: Choices) -> bool:
        """Whether the values of a combination change nothing."""
        return all(
            one.recorded is other.recorded and _loaded(one) == _loaded(other)
            for one, other in zip(self.variants(choices), self.variants(()), strict=True)
        )

    def values(self, choices: Choices) -> tuple[SweptValue, ...]:
        """The values of a combination; of none, what is written."""
        return chosen_values(choices) if choices else tuple(map(self._written, self.swept))

    def _written(self, setting: Setting) -> SweptValue:
        found = frozenset(value for one in self.variants(()) for value in _written_values(one, setting))
        return written_value(setting, found)

    def _variant(self, one: Recorded, rules: RuleSet, choices: Choices) -> Variant:
        every = (*self.fixed, *choices)
        mistakes: list[Mistake] = []
        groups = collected(mistakes, lambda: with_settings(rules.groups, every))
        scrape = next((each for each in every if each.setting.name is Name.SCRAPE_INTERVAL), None)
        fewer = one if scrape is None else collected(mistakes, lambda: self._thinned(one, scrape))
        if groups is None or fewer is None:
            raise BadInput(mistakes)
        variant = Variant(fewer, replace(rules, groups=groups), under=_under(every))
        if scrape is None or fewer is one:
            return variant
        cause, notes = said_of(one, _loaded(variant), scrape)
        return replace(variant, causes=(cause,), notes=notes)

    def _thinned(self, one: Recorded, scrape: Choice) -> Recorded:
        key = one.folder, scrape.value
        if key not in self._fewer:
            self._fewer[key] = thinned_recording(one, scrape)
        return self._fewer[key]


def _under(choices: Choices) -> str:
    return f" under {', '.join(one.text for one in choices)}" if choices else ""


def _loaded(variant: Variant) -> Rules:
    return variant.rules.rules(_usual_s(variant.recorded))


def _usual_s(one: Recorded) -> float:
    assert one.case.engine is not None, "recordings without an engine are refused"
    return one.case.engine.evaluation_interval_s


def _written_values(variant: Variant, setting: Setting) -> frozenset[float]:
    if setting.name is Name.SCRAPE_INTERVAL:
        return scrape_intervals_s(variant.recorded)
    return written_values(variant.rules.groups, setting, _usual_s(variant.recorded))
