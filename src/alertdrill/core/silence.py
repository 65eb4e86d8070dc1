"""Verdicts on prohibitions, and the episodes that nobody expected."""

from alertdrill.core.alerts import Episode
from alertdrill.core.attribution import Attribution, is_expected, is_prohibited
from alertdrill.core.case import Case
from alertdrill.core.health import doubt
from alertdrill.core.journal import Gate
from alertdrill.core.plan import Segment
from alertdrill.core.preconditions import why_not_delivered
from alertdrill.core.result import Code, EpisodeResult, ProhibitionResult, ProhibitionVerdict, Reason
from alertdrill.core.scenario import Phase, Prohibition
from alertdrill.core.scope import could_prohibit, expects, in_scope, prohibits

STALL_WINDOW_MS = 15_000


def episode_result(case: Case, episode: Episode, phase: str | None) -> EpisodeResult:
    """An episode with the late sends of our own load before it: witnesses of a stalled host."""
    late = [
        round(seconds, 3)
        for at, seconds in case.late_sends
        if episode.pending_at - STALL_WINDOW_MS <= at <= (episode.firing_at or episode.pending_at)
    ]
    return EpisodeResult(
        alert=episode.alert,
        labels=dict(episode.labels),
        phase=phase,
        pending_at=episode.pending_at / 1000,
        firing_at=None if episode.firing_at is None else episode.firing_at / 1000,
        resolved_at=None if episode.resolved_at is None else episode.resolved_at / 1000,
        in_baseline=_in_baseline(case, episode),
        host_stalls=tuple(sorted(late, reverse=True)[:5]),
    )


def _in_baseline(case: Case, episode: Episode) -> bool | None:
    """Whether the label set of an episode fired between the steady state and the first fault, in whatever episode."""
    begin, end = case.baseline_from_ms, case.first_fault_ms
    if case.steady is None or end <= begin:
        return None
    same = (one for one in case.episodes if (one.alert, one.labels) == (episode.alert, episode.labels))
    return any(
        one.firing_at is not None and one.firing_at < end and (one.resolved_at is None or one.resolved_at > begin)
        for one in same
    )


def _window(case: Case, segment: Segment) -> tuple[int, int]:
    """From the start of a phase (not before the steady state counts) to one tail after it.

    Where the recording ends before: to its end, or to one tail after the last effect, which a gate waits for. A drill
    that was ended early, or is replayed under rules that look back further, need not hold that much.
    """
    start, end = max(case.starts_ms[segment.k], case.baseline_from_ms), case.segment_end_ms(segment.k)
    effects = (case.deliveries[one.id].last_ms for one in case.plan.segment_injections(segment.k))
    watched = max((last + case.tail_ms for last in effects if last is not None), default=0)
    return start, min(end + case.tail_ms, max(case.recording.to_ms, watched))


def _in_phase(case: Case, attribution: Attribution, phase: Phase, segment: Segment) -> tuple[Episode, ...]:
    """The episodes a phase answers for: those it owns, and those that fired in its window and no fault explains."""
    start, end = _window(case, segment)
    return attribution.of_phase(phase.name) + tuple(
        e for e in attribution.unexplained if e.firing_at is not None and start <= e.firing_at <= end
    )


def _verdict(
    case: Case, prohibition: Prohibition, guilty: list[Episode], window: tuple[int, int]
) -> tuple[ProhibitionVerdict, Reason | None]:
    if guilty:
        return ProhibitionVerdict.FALSE_ALARM, None
    rules = [rule for rule in case.book.alerts if could_prohibit(prohibition, rule.labels)]
    if not rules:
        reason = Reason(
            code=Code.RULE_NOT_LOADED, text="no loaded rule matches it", decide_it_by="correct the name or the labels"
        )
        return ProhibitionVerdict.INCONCLUSIVE, reason
    for rule in rules:
        reason_of_rule = doubt(case, rule, *window)
        if reason_of_rule:
            return ProhibitionVerdict.INCONCLUSIVE, reason_of_rule
    return ProhibitionVerdict.QUIET, None


def _matcher(prohibition: Prohibition) -> dict[str, object]:
    return prohibition.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def of_phases(case: Case, attribution: Attribution) -> tuple[ProhibitionResult, ...]:
    """Verdicts on the prohibitions of every phase that was reached."""
    results = []
    for phase in case.plan.scenario.phases:
        segment = case.plan.phase_segment(phase.name)
        for prohibition in phase.must_not_fire:
            guilty: list[Episode] = []
            verdict: ProhibitionVerdict
            reason: Reason | None
            verdict, reason = _not_reached(case, phase)
            if segment.k in case.starts_ms and case.steady is not None:
                episodes = _in_phase(case, attribution, phase, segment)
                guilty = [e for e in episodes if _guilty(prohibition, phase, e)]
                verdict, reason = _verdict(case, prohibition, guilty, _window(case, segment))
                lost = _not_broken(case, segment) if verdict is ProhibitionVerdict.QUIET else None
                if lost is not None:
                    verdict, reason = ProhibitionVerdict.INCONCLUSIVE, lost
            results.append(_result(case, phase.name, prohibition, verdict, reason, guilty))
    return tuple(results)


def _not_broken(case: Case, segment: Segment) -> Reason | None:
    """Why a phase was not broken as planned, so that silence in it says nothing."""
    deliveries = (case.deliveries[one.id] for one in case.plan.segment_injections(segment.k))
    return next((reason for one in deliveries if (reason := why_not_delivered(case, one))), None)


def of_drill(case: Case, attribution: Attribution) -> tuple[ProhibitionResult, ...]:
    """Verdicts on the prohibitions of the whole drill, from the steady state to the end."""
    phases = {phase.name: phase for phase in case.plan.scenario.phases}
    results = []
    for prohibition in case.plan.scenario.must_not_fire:
        guilty = [o.episode for o in attribution.owned if _guilty(prohibition, phases[o.phase or ""], o.episode)]
        guilty += [
            e for e in attribution.unexplained if prohibits(prohibition, e.label_map) and e.firing_at is not None
        ]
        window = (case.baseline_from_ms, case.recording.to_ms - 2 * case.scrape_ms)
        verdict, reason = _verdict(case, prohibition, guilty, window) if case.steady else _not_reached(case, None)
        results.append(_result(case, None, prohibition, verdict, reason, guilty))
    return tuple(results)


def _guilty(prohibition: Prohibition, phase: Phase, episode: Episode) -> bool:
    expected = any(expects(expectation, episode.label_map) for expectation in phase.expect)
    return episode.firing_at is not None and not expected and prohibits(prohibition, episode.label_map)


def _not_reached(case: Case, phase: Phase | None) -> tuple[ProhibitionVerdict, Reason]:
    """Why a prohibition was not watched: its gate stayed shut, there was no steady state, or the drill ended before."""
    shut = next((g for g in case.all(Gate) if phase and g.phase == phase.name and not g.open), None)
    if shut:
        fix = "raise settle.timeout, or see why the alerts stay active"
        reason = Reason(code=Code.SETTLE_TIMEOUT, text=shut.why, decide_it_by=fix)
    else:
        text = "the drill ended before this phase" if phase and case.steady else "the steady state was not reached"
        reason = Reason(code=Code.INTERRUPTED, text=text, decide_it_by="let the drill run to its end")
    return ProhibitionVerdict.INCONCLUSIVE, reason


def _result(
    case: Case,
    phase: str | None,
    prohibition: Prohibition,
    verdict: ProhibitionVerdict,
    reason: Reason | None,
    guilty: list[Episode],
) -> ProhibitionResult:
    episodes = tuple(episode_result(case, episode, phase) for episode in guilty)
    return ProhibitionResult(
        phase=phase, matcher=_matcher(prohibition), verdict=verdict, reason=reason, episodes=episodes
    )


def also_fired(case: Case, attribution: Attribution) -> tuple[EpisodeResult, ...]:
    """Episodes that a fault explains, neither expected nor prohibited in its phase."""
    phases = {phase.name: phase for phase in case.plan.scenario.phases}
    return tuple(
        episode_result(case, one.episode, one.phase)
        for one in attribution.owned
        if one.episode.firing_at is not None
        and (phase := phases[one.phase or ""])
        and not is_expected(phase, one.episode)
        and not is_prohibited(case, phase, one.episode)
    )


def false_alarms(case: Case, attribution: Attribution) -> tuple[EpisodeResult, ...]:
    """Episodes in scope that fired outside every tail."""
    return tuple(
        episode_result(case, episode, case.phase_of(episode.pending_at))
        for episode in attribution.unexplained
        if episode.firing_at is not None and in_scope(case.plan.scenario, episode.label_map)
    )


def background(case: Case, attribution: Attribution) -> tuple[EpisodeResult, ...]:
    """Episodes that were active before the drill began, or that it is not about."""
    return tuple(
        episode_result(case, episode, None) for episode in attribution.background if episode.firing_at is not None
    )
