"""Whether a rule could have spoken: loaded, healthy, evaluated without a gap, its inputs scraped without a gap."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alertdrill.core import journal as records
from alertdrill.core.alerts import GAP_INTERVALS
from alertdrill.core.case import Case
from alertdrill.core.grafana import METRIC, unknowing
from alertdrill.core.result import Code, Reason
from alertdrill.core.scope import AlertRule, RuleBook
from alertdrill.core.view import SERVER_JOB

Target = tuple[str, str]
ENGINE_TROUBLES = ("engine_gone", "query_failed")


@dataclass(frozen=True)
class Scrapes:
    """How often the inputs of a rule were scraped in a window, and how often that was due."""

    seen: int
    due: int


def input_targets(case: Case, rule: AlertRule) -> tuple[Target, ...]:
    """Job and instance of every target that a rule reads, through chains."""
    found = set()
    for selector in case.book.inputs(rule):
        for series in case.recording.select(selector):
            job, instance = series.labels.get("job"), series.labels.get("instance")
            if job and instance and series.labels.get("__name__") not in case.book.recorded:
                found.add((job, instance))
    return tuple(sorted(found))


def scrape_times(case: Case, target: Target) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Timestamps (ms) and values of `up` of a target."""
    series = case.recording.named("up", job=target[0], instance=target[1])
    if not series:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
    return series[0].times_ms, series[0].values


def scrape_ends(case: Case, target: Target) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Timestamps of the scrapes of a target and when each was over (ms); the same where how long it took is unknown."""
    times, _ = scrape_times(case, target)
    ends = times.astype(np.float64)
    for took in case.recording.named("scrape_duration_seconds", job=target[0], instance=target[1]):
        _, mine, its = np.intersect1d(times, took.times_ms, assume_unique=True, return_indices=True)
        ends[mine] += took.values[its] * 1000
    return times, ends


def _as_due(case: Case, target: Target) -> NDArray[np.int64]:
    """When a target was scraped, ms, ascending; scrapes that a fault on its processes made fail are as they should be.

    Such a scrape may have begun before the fault, and one that fails may be due before a target that was started again
    serves its metrics: one interval on either side.
    """
    times, values = scrape_times(case, target)
    good = values == 1
    if target[0] == SERVER_JOB:
        for first, last in case.halts_ms:
            good |= (times >= first - case.scrape_ms) & (times <= last + case.scrape_ms)
    return np.asarray(times[good], dtype=np.int64)


def _succeeded(case: Case, targets: Iterable[Target]) -> NDArray[np.int64]:
    """When any of some targets was scraped, ms, ascending."""
    found = [_as_due(case, target) for target in targets]
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _by_job(targets: Iterable[Target]) -> dict[str, list[Target]]:
    jobs: dict[str, list[Target]] = defaultdict(list)
    for target in targets:
        jobs[target[0]].append(target)
    return dict(jobs)


def scrapes(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> Scrapes:
    """Successful scrapes of a rule's inputs in a window; of several jobs the one that did worst.

    Of a job with several targets, the intervals in which one of them was scraped.
    """
    interval_ms = rule.scrape_ms(case.scrape_ms)
    due = max(1, (to_ms - from_ms) // interval_ms)
    counts = []
    for targets in _by_job(input_targets(case, rule)).values():
        times = _succeeded(case, targets)
        inside = times[(times > from_ms) & (times <= to_ms)]
        counts.append(len(inside) if len(targets) == 1 else len(np.unique((inside - from_ms - 1) // interval_ms)))
    return Scrapes(min(counts, default=0), due)


def _has_gap(times: NDArray[np.int64], from_ms: int, to_ms: int, interval_ms: int) -> bool:
    """Whether `times` leave more than 1.5 intervals open between `from_ms` and `to_ms`."""
    inside = times[(times > from_ms - GAP_INTERVALS * interval_ms) & (times < to_ms + GAP_INTERVALS * interval_ms)]
    edges = np.concatenate([[from_ms - interval_ms // 2], inside, [to_ms + interval_ms // 2]])
    return bool(np.any(np.diff(np.sort(edges)) > GAP_INTERVALS * interval_ms))


def _rule_doubt(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> Reason | None:
    for state in _states(case, rule, from_ms, to_ms):
        if state is None:
            return Reason(
                code=Code.RULE_UNHEALTHY,
                text="the rule vanished from the engine, or was changed, during the drill",
                decide_it_by="keep the rules still while a drill runs, then run again",
            )
        if state.rule.health == "err":
            text = f"the rule failed: {state.rule.last_error}"
            return Reason(code=Code.RULE_ERROR, text=text, decide_it_by="mend the rule's expression, then run again")
        if state.rule.health == "nodata":
            return _no_data()
    return _unknowing(case, rule, from_ms, to_ms)


def _no_data() -> Reason:
    text = "what the rule reads had no answer (its state was nodata)"
    fix = "see why the rule's query finds nothing, then run again"
    return Reason(code=Code.RULE_NO_DATA, text=text, decide_it_by=fix)


def _unknowing(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> Reason | None:
    """Why a rule of Grafana's could not tell for a while, by its metric; those of others never write so."""
    if rule.group.engine != "grafana":
        return None
    state = unknowing(case.recording.named(METRIC, alertname=rule.name), from_ms, to_ms)
    if state == "error":
        text = "the rule failed (its state was error)"
        return Reason(code=Code.RULE_ERROR, text=text, decide_it_by="see what its query fails with, then run again")
    return _no_data() if state else None


def _states(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> list[AlertRule | None]:
    """A rule as it was at the start of a window and at every change inside it; None where it was not loaded."""
    states: list[AlertRule | None] = []
    for snapshot in case.all(records.Rules):
        at = case.engine_ms(snapshot.at)
        if at > to_ms:
            break
        if at <= from_ms:
            states.clear()
        states.append(next((one for one in RuleBook.of(snapshot.groups).alerts if _same_rule(one, rule)), None))
    return states


def _same_rule(one: AlertRule, other: AlertRule) -> bool:
    """Whether two snapshots show the same rule, its expression and `for` unchanged."""
    return all(
        (
            one.group.name == other.group.name,
            one.labels == other.labels,
            one.rule.query == other.rule.query,
            one.for_ms == other.for_ms,
        )
    )


def restarted(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> Reason | None:
    """Why a restart of the engine makes a window doubtful: in it, the rule could not be evaluated throughout."""
    readings = case.all(records.Process)
    evaluated = case.evaluations_ms(rule)
    fed = [scrape_times(case, target)[0] for target in input_targets(case, rule)]
    for one in readings:
        started_ms = round((one.started_at or 0.0) * 1000)
        if started_ms <= case.engine_ms(readings[0].at):
            continue
        down_ms = max(evaluated[evaluated < started_ms].tolist(), default=started_ms)
        first = [times[times >= started_ms][:1].tolist() or [case.recording.to_ms] for times in (evaluated, *fed)]
        back_ms = max(at for (at,) in first)
        if down_ms < to_ms and back_ms > from_ms:
            lost_s = (back_ms - down_ms) / 1000
            text = f"the engine was restarted: for {lost_s:.1f} s the rule was not evaluated, or not fed"
            return Reason(
                code=Code.ENGINE_RESTARTED,
                text=text,
                decide_it_by="see why it was restarted, keep it running, then run again",
            )
    return None


def not_reloaded(case: Case) -> Reason | None:
    """Why the rules that the engine evaluates are not those that its files hold."""
    if all(one.reloaded is not False for one in case.all(records.Process)):
        return None
    return Reason(
        code=Code.RELOAD_FAILED,
        text="the engine could not load its configuration or rules when last told to: it evaluates older ones",
        decide_it_by="mend its files (`promtool check config` says where), reload it, then run again",
    )


def _scraped_nothing(case: Case, from_ms: int, to_ms: int) -> bool:
    """Whether no scrape of any of several jobs is known for a while, not even one that failed."""
    up = case.recording.named("up")
    jobs = {one.labels.get("job") for one in up}
    return len(jobs) > 1 and _has_gap(np.concatenate([one.times_ms for one in up]), from_ms, to_ms, case.scrape_ms)


def engine_trouble(case: Case, to_ms: int | None = None) -> Reason | None:
    """Why the engine could not be asked, up to an instant or at all."""
    for one in case.all(records.Trouble):
        if one.kind in ENGINE_TROUBLES and (to_ms is None or case.engine_ms(one.at) <= to_ms):
            fix = "keep Prometheus running and within reach, then run again"
            return Reason(code=Code.QUERY_FAILED, text=one.what, decide_it_by=fix)
    return None


def doubt(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> Reason | None:
    """Why silence of a rule in a window proves nothing, or None if it does."""
    reason = (
        case.not_replayed(rule)
        or not_reloaded(case)
        or _rule_doubt(case, rule, from_ms, to_ms)
        or restarted(case, rule, from_ms, to_ms)
    )
    if reason:
        return reason
    silent = engine_trouble(case, None if to_ms > case.recording.to_ms else to_ms)
    if silent:
        return silent
    if to_ms > case.recording.to_ms:
        return _recorded_too_short(case, to_ms)
    if _has_gap(case.evaluations_ms(rule), from_ms, to_ms, rule.interval_ms):
        return Reason(
            code=Code.EVALUATION_GAP,
            text="the rule was not evaluated all the way to its deadline",
            decide_it_by="give Prometheus enough CPU, then run again",
        )
    if _scraped_nothing(case, from_ms, to_ms):
        fix = "see what stands between alertdrill and the engine, and whether its samples are kept for long enough"
        return Reason(
            code=Code.SERIES_NOT_RECORDED,
            text="for a while the engine's answers hold no scrape of any target, while it went on evaluating",
            decide_it_by=fix,
        )
    if not case.book.readable(rule):
        text = "what the rule reads is not known, as its query is not PromQL: it may have had nothing to see"
        fix = "write the rule's query in PromQL, without variables, then run again"
        return Reason(code=Code.SERIES_NOT_RECORDED, text=text, decide_it_by=fix)
    return _scrape_gap(case, rule, from_ms, to_ms)


def _recorded_too_short(case: Case, to_ms: int) -> Reason:
    early_s = (to_ms - case.recording.to_ms) / 1000
    return Reason(
        code=Code.EVALUATION_GAP,
        text=f"the recording ends {early_s:.1f} s before the rule could be told to be silent, or to have resolved",
        decide_it_by="run the drill with this rule loaded, and let it run to its end",
    )


def _scrape_gap(case: Case, rule: AlertRule, from_ms: int, to_ms: int) -> Reason | None:
    """A time in which no target of a job was scraped, or in which one that stays in service discovery was not.

    Targets that came or went inside the window, as pods do, leave no gap while others of their job are scraped.
    """
    interval_ms, fix = rule.scrape_ms(case.scrape_ms), "see why it could not be scraped, then run again"
    for job, targets in _by_job(input_targets(case, rule)).items():
        if _has_gap(_succeeded(case, targets), from_ms, to_ms, interval_ms):
            at = f" at {targets[0][1]}" if len(targets) == 1 else ", all its targets together,"
            text = f"the scrapes of job {job}{at} have a gap"
            return Reason(code=Code.SCRAPE_GAP, text=text, decide_it_by=fix)
        for target in targets:
            times, good = scrape_times(case, target)[0], _as_due(case, target)
            if _stays(times, from_ms, to_ms, interval_ms) and _has_gap(good, from_ms, to_ms, interval_ms):
                text = f"the scrapes of job {job} at {target[1]} have a gap"
                return Reason(code=Code.SCRAPE_GAP, text=text, decide_it_by=fix)
    return None


def _stays(times: NDArray[np.int64], from_ms: int, to_ms: int, interval_ms: int) -> bool:
    """Whether a target was known, scraped or not, all through a window: one that is has `up` samples throughout."""
    return len(times) > 0 and not _has_gap(times, from_ms, to_ms, interval_ms)
