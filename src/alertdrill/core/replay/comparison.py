"""What a change of rules would have cost in recorded drills: models of `replay --json` (`alertdrill/replay/v1`)."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.matchers import in_braces
from alertdrill.core.replay.outcome import Outcome as Outcome
from alertdrill.core.replay.sweep import Sweep
from alertdrill.core.result import EpisodeResult, ExpectationResult, ProhibitionVerdict, Reason, Result, Verdict

SAME_S = 0.0005


FAILURES: Mapping[str, Outcome] = {
    "lost": Outcome.LOST,
    "slower": Outcome.SLOWER,
    "false-alarm": Outcome.NEW_FALSE_ALARM,
}
"""What `--fail-on` can name."""


class _Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Change(_Frozen):
    """One expectation or false alarm, before and after."""

    outcome: Outcome = Field(
        description="lost: detected before, or fired late, and not so now; slower: fired later; gained: detected now; "
        "new_false_alarm, false_alarm_gone; undecided: the recording cannot tell; kept: as before, or sooner"
    )
    id: str = Field(description="the expectation's, or the alert with its labels")
    alert: str
    before: str | None = Field(description="its verdict before; null of a new false alarm")
    after: str | None = Field(description="its verdict after; null of a false alarm that is gone")
    ttd_before_s: float | None = None
    ttd_after_s: float | None = None
    reason: Reason | None = Field(default=None, description="why the verdict after is what it is")
    causes: tuple[str, ...] = Field(
        default=(), description="what was changed in the alert's rules and in all that they read, with file and line"
    )


class RecordingReplay(_Frozen):
    """One recording under the changed rules."""

    folder: str
    before: Literal["live", "replay"] = Field(description="live: as the drill was judged; replay: by --against")
    verdict_before: str
    result: Result = Field(description="under the changed rules")
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = Field(description="what makes an instant uncertain, and rules that were not evaluated")
    questions: int = Field(description="how many the engine was asked")
    seconds: float = Field(description="how long the replay took")


class ReplayResult(_Frozen):
    """What a change of rules would have cost in some recorded drills."""

    schema_: Literal["alertdrill/replay/v1"] = Field(default="alertdrill/replay/v1", alias="schema")
    mode: Literal["replay"] = "replay"
    rules: tuple[str, ...] = Field(description="the rule files; none: the rules of the live drills")
    settings: tuple[str, ...] = Field(default=(), description="what --set changed in them, as NAME=VALUE")
    against: tuple[str, ...] | None = Field(description="those they are compared with; null: the live drills")
    fail_on: tuple[str, ...] = Field(description="what makes the command fail")
    verdict: Literal["passed", "failed", "inconclusive"]
    counts: dict[Outcome, int]
    recordings: tuple[RecordingReplay, ...]
    sweep: Sweep | None = Field(
        default=None, description="the same for each of several values; all else is of the rules as they are written"
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def compare(
    before: Result,
    after: Result,
    causes: Callable[[str], tuple[str, ...]],
    unknown: Mapping[str, Reason] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """How two judgements of one drill differ: its expectations in their order, then false alarms.

    Args:
        before: under the rules as they were.
        after: under the rules as they are.
        causes: what was changed in the rules of an alert.
        unknown: by alert why its rules as they are could not be evaluated.
    """
    known = {one.id: one for one in before.expectations}
    expectations = [_of_expectation(known[one.id], one, causes) for one in after.expectations if one.id in known]
    alarms = _of_false_alarms(before, after, causes, unknown)
    return (*expectations, *_of_prohibitions(before, after, causes), *alarms)


def _of_expectation(old: ExpectationResult, new: ExpectationResult, causes: Callable[[str], tuple[str, ...]]) -> Change:
    outcome = outcome_of(old, new)
    return Change(
        outcome=outcome,
        id=new.id,
        alert=new.alert,
        before=old.verdict.value,
        after=new.verdict.value,
        ttd_before_s=old.ttd_s,
        ttd_after_s=new.ttd_s,
        reason=new.reason,
        causes=causes(new.alert),
    )


class Judged(Protocol):
    """Whatever has a verdict on one alert."""

    @property
    def verdict(self) -> Verdict:
        """The headline."""
        ...

    @property
    def ttd_s(self) -> float | None:
        """Time to detect, seconds."""
        ...

    @property
    def reason(self) -> Reason | None:
        """Why it is not `detected`."""
        ...


def outcome_of(old: Judged, new: Judged) -> Outcome:
    """What became of an alert, false alarms left aside."""
    if new.verdict is Verdict.INCONCLUSIVE:
        return Outcome.KEPT if old.verdict is Verdict.INCONCLUSIVE and old.reason == new.reason else Outcome.UNDECIDED
    if new.verdict is Verdict.DETECTED and old.verdict is not Verdict.DETECTED:
        return Outcome.GAINED
    if old.verdict is Verdict.INCONCLUSIVE:
        return Outcome.UNDECIDED
    if old.verdict is Verdict.DETECTED and new.verdict is not Verdict.DETECTED:
        return Outcome.LOST
    if old.ttd_s is None:
        return Outcome.KEPT
    if new.ttd_s is None:
        return Outcome.LOST
    return Outcome.SLOWER if new.ttd_s - old.ttd_s > SAME_S else Outcome.KEPT


def _of_prohibitions(before: Result, after: Result, causes: Callable[[str], tuple[str, ...]]) -> Iterator[Change]:
    """Prohibitions of which nothing is known any more; their false alarms are told with all the others."""
    for old, new in zip(before.prohibitions, after.prohibitions, strict=True):
        if new.verdict is ProhibitionVerdict.INCONCLUSIVE and old.verdict is not ProhibitionVerdict.INCONCLUSIVE:
            what = new.matcher.get("alert") or in_braces(new.matcher.get("labels", {}), new.matcher.get("matchers", ()))
            yield Change(
                outcome=Outcome.UNDECIDED,
                id=f"{new.phase or 'drill'}/must_not_fire {what}",
                alert=str(new.matcher.get("alert", "")),
                before=old.verdict.value,
                after=new.verdict.value,
                reason=new.reason,
                causes=causes(str(new.matcher.get("alert", ""))),
            )


def _of_false_alarms(
    before: Result, after: Result, causes: Callable[[str], tuple[str, ...]], unknown: Mapping[str, Reason]
) -> Iterator[Change]:
    """What fired for nothing and is new or gone; of rules that could not be evaluated nobody knows whether it is."""
    old, new = false_alarms(before), false_alarms(after)
    for outcome, fresh, others in ((Outcome.NEW_FALSE_ALARM, new, old), (Outcome.FALSE_ALARM_GONE, old, new)):
        for name, episode in fresh.items():
            if name not in others:
                is_new = outcome is Outcome.NEW_FALSE_ALARM
                why = None if is_new else unknown.get(episode.alert)
                yield Change(
                    outcome=outcome if why is None else Outcome.UNDECIDED,
                    id=name,
                    alert=episode.alert,
                    before=None if is_new else "false_alarm",
                    after="false_alarm" if is_new else None if why is None else Verdict.INCONCLUSIVE.value,
                    reason=why,
                    causes=causes(episode.alert),
                )


def false_alarms(result: Result) -> dict[str, EpisodeResult]:
    """What fired and was prohibited, or that no fault explains, by alert and labels, once each."""
    prohibited = [one for prohibition in result.prohibitions for one in prohibition.episodes]
    found: dict[str, EpisodeResult] = {}
    for one in [*prohibited, *result.false_alarms]:
        found.setdefault(one.alert + in_braces(one.labels), one)
    return found


def conclude(
    rules: Iterable[str],
    against: Iterable[str] | None,
    fail_on: Iterable[str],
    recordings: Iterable[RecordingReplay],
    settings: Iterable[str] = (),
) -> ReplayResult:
    """All recordings together: failed where something is named that must not be, else inconclusive, else passed."""
    recordings, fail_on = tuple(recordings), tuple(fail_on)
    counts = counted(recordings)
    return ReplayResult(
        rules=tuple(rules),
        against=None if against is None else tuple(against),
        settings=tuple(settings),
        fail_on=fail_on,
        verdict=verdict_of(counts, fail_on),
        counts=counts,
        recordings=recordings,
    )


def counted(recordings: Iterable[RecordingReplay]) -> dict[Outcome, int]:
    """How often there was each outcome."""
    counts = dict.fromkeys(Outcome, 0)
    for one in recordings:
        for change in one.changes:
            counts[change.outcome] += 1
    return counts


def verdict_of(counts: Mapping[Outcome, int], fail_on: Iterable[str]) -> Literal["passed", "failed", "inconclusive"]:
    """Failed where there is an outcome that is named, else inconclusive where one is undecided, else passed."""
    if any(counts[FAILURES[name]] for name in fail_on):
        return "failed"
    return "inconclusive" if counts[Outcome.UNDECIDED] else "passed"
