"""What was checked, one line each, in the form that continuous integration asks for: JUnit, Markdown, annotations."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from alertdrill.core.asked import expectation_id
from alertdrill.core.coverage_result import CoverageResult, Status, named
from alertdrill.core.history.result import HistoryResult, RuleHistory
from alertdrill.core.matchers import in_braces
from alertdrill.core.repeat import ExpectationSummary, RepeatResult
from alertdrill.core.replay.comparison import Change as ChangeOfAlert
from alertdrill.core.replay.comparison import Outcome as Change
from alertdrill.core.replay.comparison import RecordingReplay, ReplayResult
from alertdrill.core.result import (
    DrillVerdict,
    ExpectationResult,
    ProhibitionResult,
    ProhibitionVerdict,
    Result,
    Verdict,
)
from alertdrill.core.scenario import Scenario
from alertdrill.report.history_terminal import alert_text, summary_of_history
from alertdrill.report.repeat_terminal import gate_text, last_sentence
from alertdrill.report.replay_terminal import change_lines
from alertdrill.report.terminal import expectation_block, matcher_text, prohibition_block, summary


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


class Place(NamedTuple):
    """A line of a file, from 1."""

    file: str
    line: int


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: what was checked, such as `nulls/FeatureNullRateHigh`.
        outcome: how it ended.
        verdict: the word for it, such as `missed`.
        text: the same in words, and what would change it.
        seconds: time to detect, where there is one.
        place: where what was checked is written; None where that is not known.
    """

    name: str
    outcome: Outcome
    verdict: str
    text: str
    seconds: float | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Suite:
    """The checks of one drill, or of one command.

    Attributes:
        name: of the scenario, or the command.
        title: the sentence that sums it up.
        checks: in the order of the file.
        seconds: how long it took, where that means something.
    """

    name: str
    title: str
    checks: tuple[Check, ...]
    seconds: float | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst of its checks; skipped if all of them were."""
        found = {one.outcome for one in self.checks}
        if found == {Outcome.SKIPPED}:
            return Outcome.SKIPPED
        return next((one for one in (Outcome.FAILED, Outcome.INCONCLUSIVE) if one in found), Outcome.PASSED)


_OF_VERDICT = {Verdict.DETECTED: Outcome.PASSED, Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE}
_OF_DRILL = {
    DrillVerdict.PASSED: Outcome.PASSED,
    DrillVerdict.FAILED: Outcome.FAILED,
    DrillVerdict.ABORTED: Outcome.FAILED,
    DrillVerdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}
_OF_PROHIBITION = {
    ProhibitionVerdict.QUIET: Outcome.PASSED,
    ProhibitionVerdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
    ProhibitionVerdict.FALSE_ALARM: Outcome.FAILED,
}


def of_drill(result: Result, places: Mapping[str, Place]) -> Suite:
    """The checks of a drill: expectations, prohibitions, false alarms, and what broke.

    Args:
        result: of the drill.
        places: id of an expectation to the line on which the scenario has it.
    """
    checks = [_expectation(one, places) for one in result.expectations]
    checks += [_prohibition(one) for one in result.prohibitions]
    checks += _others(result)
    found = Suite(result.scenario, summary(result).plain, tuple(checks), result.ended_at - result.started_at)
    return _as_the_verdict(found, result.verdict)


def of_repeat(result: RepeatResult, places: Mapping[str, Place]) -> Suite:
    """The checks of several drills together: a miss that a gate allows fails nothing.

    Args:
        result: of all.
        places: id of an expectation to the line on which the scenario has it.
    """
    checks = [_repeated(one, places) for one in result.expectations]
    for ban in result.prohibitions:
        outcome = Outcome.FAILED if ban.false_alarm else Outcome.INCONCLUSIVE if ban.inconclusive else Outcome.PASSED
        text = f"quiet in {ban.quiet} runs, {ban.false_alarm} false alarms, {ban.inconclusive} could not tell"
        checks.append(Check(_ban(ban.phase, ban.matcher), outcome, outcome.value, text))
    checks += [Check(f"run {one.number}", Outcome.INCONCLUSIVE, "broken", one.what) for one in result.broken]
    lasted = sum(one.ended_at - one.started_at for one in result.runs)
    return _as_the_verdict(Suite(result.scenario, last_sentence(result).plain, tuple(checks), lasted), result.verdict)


def of_error(scenario: str, what: str) -> Suite:
    """A drill that came to no result."""
    title = what.splitlines()[0] if what else "no result"
    return Suite(scenario, title, (Check("the drill ran to its end", Outcome.INCONCLUSIVE, "no result", what),))


def of_not_run(scenario: str, verdict: str, why: str) -> Suite:
    """A drill that was not begun, or was stopped, because of something that is not its own."""
    return Suite(scenario, f"{verdict}: {why}", (Check("the drill ran to its end", Outcome.SKIPPED, verdict, why),))


def _repeated(one: ExpectationSummary, places: Mapping[str, Place]) -> Check:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in one.verdicts.items())
    others = set(one.verdicts) - {Verdict.DETECTED.value, Verdict.INCONCLUSIVE.value}
    if one.gate is not None:
        outcome = Outcome(one.gate.verdict)
    elif others:
        outcome = Outcome.FAILED
    else:
        told = set(one.verdicts) == {Verdict.DETECTED.value} or one.control
        outcome = Outcome.PASSED if told else Outcome.INCONCLUSIVE
    gate = gate_text(one)
    text = counts if gate is None else f"{gate.plain} ({counts})"
    return Check(
        one.id + in_braces(one.labels, one.matchers), outcome, outcome.value, text, one.ttd.p50_s, places.get(one.id)
    )


def _as_the_verdict(suite: Suite, verdict: DrillVerdict) -> Suite:
    """The suite, with a check more where its checks look better or worse than the verdict on the whole."""
    outcome = _OF_DRILL[verdict]
    if suite.outcome is outcome:
        return suite
    return replace(suite, checks=(*suite.checks, Check("the whole", outcome, verdict.value, suite.title)))


def names_of(scenario: Scenario) -> Iterator[str]:
    """The names that the checks of a drill will have, as far as the scenario tells; `match: all` finds more."""
    for phase in scenario.phases:
        for position, one in enumerate(phase.expect):
            matchers = [matcher.text() for matcher in one.matchers]
            yield expectation_id(phase, position) + in_braces(one.labels, matchers)
        for ban in phase.must_not_fire:
            yield _ban(phase.name, ban.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    for ban in scenario.must_not_fire:
        yield _ban(None, ban.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _ban(phase: str | None, matcher: Mapping[str, Any]) -> str:
    return f"{phase}/must_not_fire {matcher_text(matcher)}" if phase else f"must_not_fire {matcher_text(matcher)}"


def _expectation(one: ExpectationResult, places: Mapping[str, Place]) -> Check:
    outcome = Outcome.PASSED if one.passes_as_control else _OF_VERDICT.get(one.verdict, Outcome.FAILED)
    name = one.id + in_braces(one.labels, one.matchers)
    return Check(name, outcome, one.verdict.value, expectation_block(one).plain, one.ttd_s, places.get(one.id))


def _prohibition(one: ProhibitionResult) -> Check:
    name = _ban(one.phase, one.matcher)
    return Check(name, _OF_PROHIBITION[one.verdict], one.verdict.value, prohibition_block(one).plain)


def _others(result: Result) -> Iterator[Check]:
    """What fails or spoils a drill beside its expectations."""
    for episode in result.false_alarms:
        labels = {name: value for name, value in episode.labels.items() if name != "alertname"}
        text = "fired although nothing was broken"
        name = f"false alarm {episode.alert}{in_braces(labels, ())}"
        failed = result.verdict is DrillVerdict.FAILED
        yield Check(name, Outcome.FAILED if failed else Outcome.SKIPPED, "false_alarm", text)
    outcome = Outcome.FAILED if result.verdict is DrillVerdict.ABORTED else Outcome.INCONCLUSIVE
    if result.verdict in (DrillVerdict.ABORTED, DrillVerdict.INCONCLUSIVE):
        for trouble in result.troubles:
            yield Check("the drill ran to its end", outcome, result.verdict.value, trouble)


_OF_REPLAY = {Change.LOST: "lost", Change.SLOWER: "slower", Change.NEW_FALSE_ALARM: "false-alarm"}
_CAUSE = re.compile(r"(.+?):(\d+)\b")


def of_replay(found: ReplayResult) -> tuple[Suite, ...]:
    """One suite a recording, one check an expectation or false alarm. What `--fail-on` leaves out is skipped."""
    return tuple(_replayed(one, found.fail_on) for one in found.recordings)


def _replayed(one: RecordingReplay, fail_on: Sequence[str]) -> Suite:
    checks = tuple(_changed(change, fail_on) for change in one.changes)
    return Suite(one.result.scenario, f"replay of {one.result.run_id}", checks, one.seconds)


def _changed(change: ChangeOfAlert, fail_on: Sequence[str]) -> Check:
    outcome = Outcome.INCONCLUSIVE if change.outcome is Change.UNDECIDED else Outcome.PASSED
    if change.outcome in _OF_REPLAY:
        outcome = Outcome.FAILED if _OF_REPLAY[change.outcome] in fail_on else Outcome.SKIPPED
    text = "\n".join(line.plain.strip() for line in change_lines(change))
    found = next((match for cause in change.causes if (match := _CAUSE.match(cause))), None)
    place = Place(found[1], int(found[2])) if found else None
    return Check(change.id, outcome, change.outcome.value, text, change.ttd_after_s, place)


def of_history(found: HistoryResult) -> Suite:
    """One check a change; where nothing is compared, one an alert: what it missed is told, and fails nothing."""
    if found.against is not None:
        checks = tuple(_changed(change, found.fail_on) for change in found.changes)
    else:
        checks = tuple(_past(one, found) for one in found.alerts)
    return Suite("history", summary_of_history(found), checks, found.seconds)


def _past(one: RuleHistory, found: HistoryResult) -> Check:
    outcomes = {Verdict.DETECTED: Outcome.PASSED, Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE}
    place = Place(one.file, one.line) if one.line is not None else None
    outcome = outcomes.get(one.verdict, Outcome.SKIPPED)
    return Check(one.id, outcome, one.verdict.value, alert_text(one, found), one.ttd_s, place)


def of_coverage(found: CoverageResult, least: float | None) -> Suite:
    """One check a rule: whether a drill has seen it detect a fault. What no gate asks for is skipped, not failed.

    Args:
        found: the coverage.
        least: the share that was asked for; None: none was.
    """
    against = found.against
    worse = frozenset((*against.lost, *against.uncovered)) if against is not None else frozenset()
    too_low = least is not None and (found.share or 0.0) < least
    checks = []
    for one in found.rules:
        name = named(one)
        outcome = Outcome.FAILED if name in worse or too_low else Outcome.SKIPPED
        if one.ignored is not None or one.status is Status.COVERED:
            outcome = Outcome.SKIPPED if one.ignored is not None else Outcome.PASSED
        place = Place(one.file, one.line) if one.line is not None else None
        checks.append(Check(name, outcome, one.status.value, one.ignored or one.why, place=place))
    checks += [Check(f"seen: {name}", Outcome.SKIPPED, "unseen", "no alert fired") for name in found.unseen]
    share = "no rules" if found.share is None else f"{found.share:.0%}"
    return Suite(
        "coverage", f"coverage {share}: {found.covered} of {found.total} rules detected a fault", tuple(checks)
    )
