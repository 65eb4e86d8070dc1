"""Recorded drills judged again under other rules, which a throw-away Prometheus evaluates over what was scraped."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.prometheus_binary import Binaries
from alertdrill.adapters.prometheus_major import prometheus_of_major
from alertdrill.adapters.promtool import check_rules
from alertdrill.adapters.replay_engine.engine import HttpEngine
from alertdrill.adapters.replay_engine.expansion import Expander
from alertdrill.adapters.replay_engine.process import start_replay_prometheus
from alertdrill.adapters.results_folder import EXPECTED, FIX, ResultsFolder
from alertdrill.adapters.rule_file import RuleLines, read_rule_files, read_rule_lines
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
from alertdrill.run.checker import judge
from alertdrill.run.replayed_drill import Prepared, ReplayedDrill, prepare, replayed_drill

Note = Callable[[str], None]


@dataclass(frozen=True)
class RuleSet:
    """Rule files that promtool has accepted."""

    files: tuple[Path, ...]
    lines: Mapping[tuple[str, str, int], RuleLines]
    texts: tuple[RuleText, ...]

    def rules(self, evaluation_interval_s: float) -> Rules:
        """The rules, where groups without an interval of their own have this one."""
        return Rules(read_rule_files(self.files, evaluation_interval_s))

    def written(self, rules: Rules) -> Mapping[Place, RuleLines]:
        """Where each rule stands."""
        return {
            place: self.lines[group.file, group.name, place.rule]
            for place in rules.places
            for group in [rules.groups[place.group]]
        }


@dataclass(frozen=True)
class Recorded:
    """One recording, as far as detection and resolution go."""

    folder: Path
    plan: Plan
    journal: tuple[records.Record, ...]
    recording: Recording

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
    sets = [read_rule_set(files, list(programs.values())) for files in (rules, against) if files is not None]
    found = []
    for one in recorded:
        note(f"replaying {one.folder}")
        found.append(run_until_signalled(_compared(one, sets, programs[one.folder])))
    names = [[str(file) for file in one.files] for one in sets]
    return conclude(names[0], names[1] if len(names) > 1 else None, fail_on, found)


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
        found = Recorded(folder, plan, journal, recording)
        judge(plan, journal, recording)
        if found.case.engine is None or not groups_of(found.case):
            raise ValueError("the journal does not say which engine had which rules")
        return found
    except (ValueError, LookupError, StopIteration, ArithmeticError) as error:
        got = f"parts that do not belong together ({type(error).__name__}: {str(error).splitlines()[0]})"
        raise BadInput([Mistake("", got, EXPECTED, FIX, file=str(folder))]) from error


def read_rule_set(paths: Sequence[Path], programs: Sequence[Binaries]) -> RuleSet:
    """Rule files, those of folders in order of their names.

    Raises:
        BadInput: promtool of one of the recordings' versions refuses them.
    """
    files = tuple(file for path in paths for file in _files(path))
    for promtool in dict.fromkeys(one.promtool.path for one in programs):
        check_rules(promtool, files)
    texts = (
        RuleText(
            path=str(file.absolute()),
            text=(text := file.read_text(encoding="utf-8")),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
        for file in files
    )
    return RuleSet(files, read_rule_lines(files), tuple(texts))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.iterdir() if one.suffix in (".yml", ".yaml") and one.is_file())
    if not found:
        expected = "a rule file, or a folder of them"
        raise BadInput(
            [Mistake("--rules", "a folder without *.yml or *.yaml", expected, "give another", file=str(path))]
        )
    return found


def _programs(one: Recorded) -> Binaries:
    """Prometheus and promtool of the major version that a drill was recorded with."""
    engine = one.case.engine
    assert engine is not None, "recordings without an engine are refused"
    return prometheus_of_major(engine.version, str(one.folder))


async def _compared(one: Recorded, sets: Sequence[RuleSet], programs: Binaries) -> RecordingReplay:
    """Replay one recording under one or two sets of rules, side by side."""
    began = time.monotonic()
    replays = [await _replayed(one, each, programs) for each in sets]
    after = replays[0]
    before: Result = replays[1].result if len(replays) > 1 else judge(one.plan, one.journal, one.recording)
    rules_before = replays[1].rules if len(replays) > 1 else Rules(groups_of(one.case))
    written = {place: Written(at.file, at.lines) for place, at in sets[0].written(after.rules).items()}
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
    asks = {place: at.group_asks for place, at in rule_set.written(rules).items()}
    prepared: Prepared = prepare(case, one.journal, rules, rule_set.texts, asks)
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
        return await asyncio.to_thread(replayed_drill, engine, prepared)
    finally:
        engine.close()
        await expander.close()
        await server.stop(timeout_s=1.0)
