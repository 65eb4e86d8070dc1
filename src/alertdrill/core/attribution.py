"""Which fault an episode belongs to, if any.

An episode belongs to the latest phase with fault_start < pending_at <= over_at + tail. A fault without fault_start owns
nothing. What is outside every tail is a false alarm; what was active when the steady state began is background.
"""

from dataclasses import dataclass

from alertdrill.core.alerts import Episode
from alertdrill.core.case import Case
from alertdrill.core.scenario import Phase
from alertdrill.core.scope import expects, in_scope, prohibits


@dataclass(frozen=True)
class Attributed:
    """An episode with the phase that owns it, None if no fault explains it."""

    episode: Episode
    phase: str | None


@dataclass(frozen=True)
class Attribution:
    """Every episode of a drill, sorted by what it means."""

    owned: tuple[Attributed, ...]
    unexplained: tuple[Episode, ...]
    background: tuple[Episode, ...]

    def of_phase(self, phase: str) -> tuple[Episode, ...]:
        """The episodes that a phase owns."""
        return tuple(one.episode for one in self.owned if one.phase == phase)


Span = tuple[int, int]
"""An instant, and a later one, in ms on the engine's clock."""


def tails(case: Case) -> tuple[Span, ...]:
    """For every fault that had an effect, from its first to one tail after its last: what it can have caused."""
    return tuple(
        (one.first_ms, one.over_ms + case.tail_ms)
        for one in case.deliveries.values()
        if one.first_ms is not None and one.over_ms is not None
    )


def lost(case: Case) -> tuple[Span, ...]:
    """For every fault whose effects are not those of the plan, its phase and one tail after it."""
    return tuple(
        (case.starts_ms[k], case.segment_end_ms(k) + case.tail_ms)
        for one in case.deliveries.values()
        if (k := one.injection.segment) in case.starts_ms and not one.had_nothing_to_touch and not one.delivered
    )


def owner(case: Case, episode: Episode) -> str | None:
    """The phase that an episode belongs to, or None."""
    found: tuple[int, str] | None = None
    for delivery in case.deliveries.values():
        if delivery.first_ms is None or delivery.over_ms is None:
            continue
        in_time = delivery.first_ms < episode.pending_at <= delivery.over_ms + case.tail_ms
        if in_time and (found is None or delivery.first_ms > found[0]):
            found = (delivery.first_ms, delivery.injection.phase)
    return found[1] if found else None


def attribute(case: Case) -> Attribution:
    """Sort the episodes into owned, unexplained and background."""
    owned, unexplained, background = [], [], []
    for episode in case.episodes:
        if episode.pending_at < case.baseline_from_ms or _excused(case, episode):
            background.append(episode)
        elif (phase := owner(case, episode)) is not None:
            owned.append(Attributed(episode, phase))
        elif in_scope(case.plan.scenario, episode.label_map) and not _unaccountable(case, episode):
            unexplained.append(episode)
        else:
            background.append(episode)
    return Attribution(tuple(owned), tuple(unexplained), tuple(background))


def _unaccountable(case: Case, episode: Episode) -> bool:
    """Whether nobody can say what caused an episode: the drill had stopped counting, or a fault lost its account."""
    if episode.pending_at > case.counts_until_ms:
        return True
    return any(begin < episode.pending_at <= end for begin, end in lost(case))


def _excused(case: Case, episode: Episode) -> bool:
    """Whether an episode was active when the steady state was decided: only its own expectations suffer."""
    steady = case.steady
    if steady is None or not episode.active_at(case.engine_ms(steady.at)):
        return False
    return any(dict(labels) == episode.label_map for labels in steady.active)


def is_expected(phase: Phase, episode: Episode) -> bool:
    """Whether an expectation of the phase is met by this episode."""
    return any(expects(expectation, episode.label_map) for expectation in phase.expect)


def is_prohibited(case: Case, phase: Phase, episode: Episode) -> bool:
    """Whether a prohibition of the phase or of the drill speaks of this episode; an expectation wins."""
    if is_expected(phase, episode):
        return False
    rules = [*phase.must_not_fire, *case.plan.scenario.must_not_fire]
    return any(prohibits(rule, episode.label_map) for rule in rules)
