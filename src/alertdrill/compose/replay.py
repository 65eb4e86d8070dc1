"""Recorded drills judged again under other rules, which a throw-away Prometheus evaluates over what was scraped."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.adapters.prometheus_major import prometheus_of_major
from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.expansion import Expander
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.adapters.results_folder import EXPECTED, FIX, ResultsFolder
from alertdrill.adapters.rule_documents import STDIN, read_rules
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.plan import Plan, RuleText
from alertdrill.core.recording import Recording
from alertdrill.core.replay.comparison import RecordingReplay, ReplayResult, compare, conclude
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.evidence import without_notification
from alertdrill.core.replay.grid import groups_of
from alertdrill.core.replay.rule_changes import Written, causes
from alertdrill.core.result import Result
from alertdrill.core.written_rules import WrittenGroup
from alertdrill.run.checker import judge
from alertdrill.run.replayed_drill import Prepared, ReplayedDrill, prepare, replayed_drill, unreadable_rules

Note = Callable[[str], None]
AT_ONCE = 2


@dataclass(frozen=True)
class RuleSet:
    """Rules as they are written.

    Attributes:
        sources: files and folders, as they were given.
        groups: of all of them.
        texts: the files.
    """

    sources: tuple[str, ...]
    groups: tuple[WrittenGroup, ...]
    texts: tuple[RuleText, ...]

    def rules(self, evaluation_interval_s: float) -> Rules:
        """The rules, where groups without an interval of their own have this one."""
        return Rules(tuple(one.loaded(evaluation_interval_s, _absolute(one.file)) for one in self.groups))

    def written(self, rules: Rules) -> Mapping[Place, Written]:
        """Where each rule stands."""
        found = {place: self.groups[place.group] for place in rules.places}
        return {place: Written(group.file, group.rules[place.rule].lines) for place, group in found.items()}

    def asks(self, rules: Rules) -> Mapping[Place, tuple[str, ...]]:
        """By rule, settings of its group that a recording knows nothing of."""
        return {place: self.groups[place.group].asks for place in rules.places}


def _absolute(file: str) -> str:
    return file if file == STDIN else str(Path(file).absolute())


@dataclass(frozen=True)
class Recorded:
    """One recording, as far as detection and resolution go; `live` is how the drill is judged by them."""

    folder: Path
    plan: Plan
    journal: tuple[records.Record, ...]
    recording: Recording
    live: Result

    @property
    def case(self) -> Case:
        """Its facts."""
        return Case(self.plan, self.journal, self.recording)


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
    recorded = [read_recorded(folder) for folder in folders]
    programs = {one.folder: _programs(one) for one in recorded}
    sets = [read_rule_set(sources) for sources in (rules, against) if sources is not None]
    found = run_until_signalled(_all_compared(recorded, sets, programs, note))
    return conclude(sets[0].sources, sets[1].sources if len(sets) > 1 else None, fail_on, found)


def read_recorded(folder: Path) -> Recorded:
    """A recording.

    Raises:
        BadInput: the folder is not that of a drill, or its parts do not belong together.
    """
    files = ResultsFolder(folder)
    plan, journal, recording = files.read()
    if changed := files.changed(recording):
        got = f"{' and '.join(changed)} of another drill, or changed since this one"
        raise BadInput([Mistake("", got, EXPECTED, FIX, file=str(folder))])
    try:
        plan, journal = without_notification(plan, journal)
        found = Recorded(folder, plan, journal, recording, judge(plan, journal, recording))
        if found.case.engine is None or not groups_of(found.case):
            raise ValueError("the journal does not say which engine had which rules")
        _check_engine(found)
        return found
    except (ValueError, LookupError, StopIteration, ArithmeticError) as error:
        got = f"parts that do not belong together ({type(error).__name__}: {str(error).splitlines()[0]})"
        raise BadInput([Mistake("", got, EXPECTED, FIX, file=str(folder))]) from error


def _check_engine(one: Recorded) -> None:
    """Raise BadInput where not one Prometheus alone evaluated rules: a replay would not be what it did."""
    if one.case.all(records.Replicas):
        fix = "replay drills of one Prometheus"
        raise BadInput([Mistake("", "a drill of several replicas", "one Prometheus", fix, file=str(one.folder))])
    others = sorted({group.engine for group in groups_of(one.case)} - {"prometheus"})
    if others:
        fix = "replay drills whose rules a Prometheus evaluates"
        got = f"a drill whose rules {' and '.join(others)} evaluated"
        raise BadInput([Mistake("", got, "rules that Prometheus evaluated", fix, file=str(one.folder))])


def read_rule_set(sources: Sequence[Path]) -> RuleSet:
    """Rules where teams keep them.

    Raises:
        BadInput: they cannot be read.
    """
    names = tuple(map(str, sources))
    groups = read_rules(names)
    files = dict.fromkeys(one.file for one in groups if one.file != STDIN)
    return RuleSet(names, groups, tuple(_text(Path(file)) for file in files))


def _text(file: Path) -> RuleText:
    text = file.read_text(encoding="utf-8-sig")
    return RuleText(path=str(file.absolute()), text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


def _programs(one: Recorded) -> Binaries:
    """Prometheus and promtool of the major version that a drill was recorded with."""
    engine = one.case.engine
    assert engine is not None, "recordings without an engine are refused"
    return prometheus_of_major(engine.version, str(one.folder))


async def _all_compared(
    recorded: Sequence[Recorded], sets: Sequence[RuleSet], programs: Mapping[Path, Binaries], note: Note
) -> list[RecordingReplay]:
    """Replay every recording, two at a time; the first error ends all."""
    free = asyncio.Semaphore(AT_ONCE)

    async def in_turn(one: Recorded) -> RecordingReplay:
        async with free:
            note(f"replaying {one.folder}")
            return await _compared(one, sets, programs[one.folder])

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(in_turn(one)) for one in recorded]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _compared(one: Recorded, sets: Sequence[RuleSet], programs: Binaries) -> RecordingReplay:
    """Replay one recording under one or two sets of rules, side by side."""
    began = time.monotonic()
    replays = [await _replayed(one, each, programs) for each in sets]
    after = replays[0]
    before = replays[1].result if len(replays) > 1 else one.live
    rules_before = replays[1].rules if len(replays) > 1 else Rules(groups_of(one.case))
    written = sets[0].written(after.rules)
    changes = compare(before, after.result, lambda alert: causes(rules_before, after.rules, written, alert))
    return RecordingReplay(
        folder=str(one.folder),
        before="replay" if len(replays) > 1 else "live",
        verdict_before=before.verdict.value,
        result=after.result,
        changes=changes,
        notes=after.notes,
        questions=after.questions,
        seconds=round(time.monotonic() - began, 3),
    )


async def _replayed(one: Recorded, rule_set: RuleSet, programs: Binaries) -> ReplayedDrill:
    case = one.case
    assert case.engine is not None, "recordings without an engine are refused"
    rules = rule_set.rules(case.engine.evaluation_interval_s)
    prepared: Prepared = prepare(case, one.journal, rules, rule_set.texts, rule_set.asks(rules))
    server = await start_replay_prometheus(
        programs.prometheus.path,
        evaluation_interval_s=case.engine.evaluation_interval_s,
        lookback_s=case.recording.source.lookback_s,
        external_labels=case.recording.source.external_labels,
    )
    external = case.recording.source.external_labels
    expander = Expander(programs.prometheus.path, external, asyncio.get_running_loop())
    engine = HttpEngine(server.url, expander.expand)
    try:
        unreadable = await asyncio.to_thread(unreadable_rules, engine, prepared)
        if unreadable:
            raise _not_read(prepared.rules, rule_set.written(prepared.rules), unreadable, programs)
        return await asyncio.to_thread(replayed_drill, engine, prepared)
    finally:
        engine.close()
        await expander.close()
        await server.stop(timeout_s=1.0)


def _not_read(
    rules: Rules, written: Mapping[Place, Written], unreadable: Mapping[Place, str], programs: Binaries
) -> BadInput:
    expected = f"PromQL that Prometheus {programs.prometheus.version_text} reads"
    fix = "correct it; the drill was recorded with an engine of this major version"
    return BadInput(
        [
            Mistake(rules[place].name, said, expected, fix, line=at.lines.get("expr"), file=at.file)
            for place, said in unreadable.items()
            for at in [written[place]]
        ]
    )
