"""Recorded drills judged again under other rules, which a throw-away Prometheus evaluates over what was scraped."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.adapters.prometheus_major import prometheus_of_major
from alertdrill.adapters.replay_engine.started import started_engine
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.compose.at_once import at_once
from alertdrill.compose.recorded import Recorded, read_all_recorded
from alertdrill.compose.rule_set import RuleSet, read_rule_set
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.replay.comparison import RecordingReplay, ReplayResult, compare, conclude
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.grid import groups_of
from alertdrill.core.replay.rule_changes import Written, causes
from alertdrill.core.result import Result
from alertdrill.run.replayed_drill import Prepared, ReplayedDrill, prepare, replayed_drill, unreadable_rules

Note = Callable[[str], None]
AT_ONCE = 2


@dataclass(frozen=True)
class Variant:
    """A recording, and rules to be evaluated over it.

    Attributes:
        recorded: as a drill left it, or thinned.
        rules: all of them.
        causes: what was changed in the recording itself.
        notes: what that makes uncertain.
        under: what it is a variant by, for whoever waits.
    """

    recorded: Recorded
    rules: RuleSet
    causes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    under: str = ""


@dataclass(frozen=True)
class Before:
    """What a replay is compared with: a judgement, and the rules that it was under."""

    kind: Literal["live", "replay"]
    result: Result
    rules: Rules


def replay_recordings(
    folders: Sequence[Path], rules: Sequence[Path], against: Sequence[Path] | None, fail_on: Sequence[str], note: Note
) -> ReplayResult:
    """Judge recorded drills again under other rules, and compare. Call it from the main thread.

    Args:
        folders: of drills, as they left them.
        rules: the rule files, all of them, or folders of them.
        against: those to compare with; None: the rules of the live drills.
        fail_on: what makes the verdict `failed`.
        note: takes a line about each step.

    Raises:
        BadInput: a recording or a rule file cannot be used, or there is no Prometheus of a recording's major version.
        AlertdrillError: a Prometheus of a replay failed.
    """
    recorded = read_all_recorded(folders)
    programs = programs_of(recorded)
    after, base = read_rule_set(rules), None if against is None else read_rule_set(against)
    variants = [Variant(one, after) for one in recorded]
    found = run_until_signalled(_all(recorded, variants, base, programs, note))
    return conclude(after.sources, None if base is None else base.sources, fail_on, found)


async def _all(
    recorded: Sequence[Recorded],
    variants: Sequence[Variant],
    against: RuleSet | None,
    programs: Mapping[Path, Binaries],
    note: Note,
) -> list[RecordingReplay]:
    before = await befores(recorded, against, programs)
    return await compared(variants, before, programs, note)


def programs_of(recorded: Iterable[Recorded]) -> Mapping[Path, Binaries]:
    """By the folder of each recording, Prometheus and promtool of the major version that it was recorded with.

    Raises:
        BadInput: there is none.
    """
    found = {}
    for one in recorded:
        engine = one.case.engine
        assert engine is not None, "recordings without an engine are refused"
        found[one.folder] = prometheus_of_major(engine.version, str(one.folder))
    return found


async def befores(
    recorded: Sequence[Recorded], against: RuleSet | None, programs: Mapping[Path, Binaries]
) -> Mapping[Path, Before]:
    """What replays are compared with, by folder: the live drills, or what other rules make of them."""
    if against is None:
        return {one.folder: Before("live", one.live, Rules(groups_of(one.case))) for one in recorded}
    found = await at_once(AT_ONCE, recorded, lambda one: _replayed(Variant(one, against), programs[one.folder]))
    return {one.folder: Before("replay", each.result, each.rules) for one, each in zip(recorded, found, strict=True)}


async def compared(
    variants: Sequence[Variant], before: Mapping[Path, Before], programs: Mapping[Path, Binaries], note: Note
) -> list[RecordingReplay]:
    """Replay every variant, two at a time; the first error ends all."""

    async def one(variant: Variant) -> RecordingReplay:
        folder = variant.recorded.folder
        note(f"replaying {folder}{variant.under}")
        return await _compared(variant, before[folder], programs[folder])

    return await at_once(AT_ONCE, variants, one)


async def _compared(variant: Variant, before: Before, programs: Binaries) -> RecordingReplay:
    """Replay a variant of one recording, and compare it."""
    began = time.monotonic()
    after = await _replayed(variant, programs)
    written = variant.rules.written(after.rules)

    def why(alert: str) -> tuple[str, ...]:
        return (*variant.causes, *causes(before.rules, after.rules, written, alert))

    return RecordingReplay(
        folder=str(variant.recorded.folder),
        before=before.kind,
        verdict_before=before.result.verdict.value,
        result=after.result,
        changes=compare(before.result, after.result, why, after.unknown),
        notes=(*variant.notes, *after.notes),
        questions=after.questions,
        seconds=round(time.monotonic() - began, 3),
    )


async def _replayed(variant: Variant, programs: Binaries) -> ReplayedDrill:
    one, rule_set = variant.recorded, variant.rules
    case = one.case
    assert case.engine is not None, "recordings without an engine are refused"
    rules = rule_set.rules(case.engine.evaluation_interval_s)
    prepared: Prepared = prepare(case, one.journal, rules, rule_set.texts, rule_set.asks(rules), one.rescraped)
    source = case.recording.source
    async with started_engine(
        programs.prometheus.path,
        evaluation_interval_s=case.engine.evaluation_interval_s,
        lookback_s=source.lookback_s,
        external_labels=source.external_labels,
    ) as engine:
        unreadable = await asyncio.to_thread(unreadable_rules, engine, prepared)
        if unreadable:
            raise not_read(prepared.rules, rule_set.written(prepared.rules), unreadable, programs)
        return await asyncio.to_thread(replayed_drill, engine, prepared)


def not_read(
    rules: Rules, written: Mapping[Place, Written], unreadable: Mapping[Place, str], programs: Binaries
) -> BadInput:
    """What is said of rules that an engine cannot read."""
    expected = f"PromQL that Prometheus {programs.prometheus.version_text} reads"
    fix = "correct it; the samples are of an engine of this major version"
    return BadInput(
        [
            Mistake(rules[place].name, said, expected, fix, line=at.lines.get("expr"), file=at.file)
            for place, said in unreadable.items()
            for at in [written[place]]
        ]
    )
