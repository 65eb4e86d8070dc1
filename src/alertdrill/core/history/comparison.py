"""What a change of rules would have meant for an incident in the past, in the words of replays of recordings."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from alertdrill.core.history.result import RuleHistory
from alertdrill.core.replay.comparison import FAILURES, Change, Outcome, outcome_of
from alertdrill.core.result import Code, Reason, Verdict

Causes = Callable[[str], tuple[str, ...]]
GONE = Reason(code=Code.RULE_NOT_LOADED, text="not among the rules", decide_it_by="keep it in the rule files")


def compare(before: Iterable[RuleHistory], after: Iterable[RuleHistory], causes: Causes) -> tuple[Change, ...]:
    """How two sets of rules differ over one past: alerts in the order of the new files, then those that are gone.

    Args:
        before: under the rules as they were.
        after: under the rules as they are.
        causes: what was changed in the rules of an alert.
    """
    olds, news = {one.id: one for one in before}, {one.id: one for one in after}
    found: list[Change] = []
    for name, new in news.items():
        found += _of_alert(olds.get(name), new, causes)
    for name, old in olds.items():
        if name not in news:
            found += _gone(old, causes)
    return tuple(found)


def _of_alert(old: RuleHistory | None, new: RuleHistory, causes: Causes) -> Iterator[Change]:
    if old is None:
        detected = new.verdict is Verdict.DETECTED
        undecided = Outcome.UNDECIDED if new.verdict is Verdict.INCONCLUSIVE else Outcome.KEPT
        outcome = Outcome.GAINED if detected else undecided
    else:
        outcome = outcome_of(old, new)
    yield Change(
        outcome=outcome,
        id=new.id,
        alert=new.alert,
        before=old.verdict.value if old else None,
        after=new.verdict.value,
        ttd_before_s=old.ttd_s if old else None,
        ttd_after_s=new.ttd_s,
        reason=new.reason,
        causes=causes(new.alert),
    )
    yield from _of_false_alarms(old, new, causes)


def _of_false_alarms(old: RuleHistory | None, new: RuleHistory, causes: Causes) -> Iterator[Change]:
    was, now = _alarms(old), _alarms(new)
    if was is None or now is None or was == now:
        return
    yield Change(
        outcome=Outcome.NEW_FALSE_ALARM if now > was else Outcome.FALSE_ALARM_GONE,
        id=new.id,
        alert=new.alert,
        before=f"{was} before the onset",
        after=f"{now} before the onset",
        causes=causes(new.alert),
    )


def _alarms(one: RuleHistory | None) -> int | None:
    """False alarms of a rule; 0 of one that is not there; None where nobody knows."""
    if one is None:
        return 0
    return one.false_alarms.count if one.false_alarms is not None and one.false_alarms.judged_s > 0 else None


def _gone(old: RuleHistory, causes: Causes) -> Iterator[Change]:
    outcomes = {Verdict.DETECTED: Outcome.LOST, Verdict.INCONCLUSIVE: Outcome.UNDECIDED}
    yield Change(
        outcome=outcomes.get(old.verdict, Outcome.KEPT),
        id=old.id,
        alert=old.alert,
        before=old.verdict.value,
        after=Verdict.MISSED.value,
        ttd_before_s=old.ttd_s,
        reason=GONE,
        causes=causes(old.alert),
    )
    if was := _alarms(old):
        yield Change(
            outcome=Outcome.FALSE_ALARM_GONE,
            id=old.id,
            alert=old.alert,
            before=f"{was} before the onset",
            after="0 before the onset",
            causes=causes(old.alert),
        )


def verdict_of(
    alerts: Sequence[RuleHistory], changes: Sequence[Change] | None, fail_on: Iterable[str]
) -> Literal["passed", "failed", "inconclusive"]:
    """Failed where a change is named that must not be; inconclusive where something is undecided; else passed.

    Args:
        alerts: under the rules in question.
        changes: from those they are compared with; None: with nothing.
        fail_on: what must not be.
    """
    if changes is None:
        undecided = any(one.verdict is Verdict.INCONCLUSIVE for one in alerts)
    else:
        outcomes = {one.outcome for one in changes}
        if outcomes & {FAILURES[name] for name in fail_on}:
            return "failed"
        undecided = Outcome.UNDECIDED in outcomes
    return "inconclusive" if undecided else "passed"
