"""What alert rules that are to be evaluated over a past read there, when they are evaluated, and which cannot be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alertdrill.core.history.inputs import inputs, reach_ms
from alertdrill.core.history.phases import Phase, phase_of
from alertdrill.core.history.spans import MOST_REACH_MS
from alertdrill.core.observations import RuleGroup
from alertdrill.core.promql import Selector
from alertdrill.core.replay.dependencies import ALERT_SERIES, Place, Rules
from alertdrill.core.replay.refusals import refusal
from alertdrill.core.replay.rule_changes import Written
from alertdrill.core.result import Code, Reason
from alertdrill.core.units import format_duration
from alertdrill.run.replay_engine import Refused, ReplayEngine, Unreadable


@dataclass(frozen=True)
class PastRules:
    """Rules that are to be evaluated over a past.

    Attributes:
        rules: all of them.
        written: where each stands.
        phases: of each group.
        places: the alerts that can be evaluated.
        reasons: why others cannot.
        reads: what each alert reads of the Prometheus.
        reach_ms: for how long a sample can matter to any of them.
    """

    rules: Rules
    written: Mapping[Place, Written]
    phases: tuple[Phase, ...]
    places: tuple[Place, ...]
    reasons: Mapping[Place, Reason]
    reads: Mapping[Place, tuple[Selector, ...]]
    reach_ms: int

    @property
    def alerts(self) -> tuple[Place, ...]:
        """All alerts, in the order of the files."""
        return tuple(place for place in self.rules.places if self.rules[place].type == "alerting")


def past_rules(
    rules: Rules,
    written: Mapping[Place, Written],
    asks: Mapping[Place, tuple[str, ...]],
    loaded: Sequence[RuleGroup],
    version: str,
    lookback_ms: int,
) -> PastRules:
    """Work out what rules read, when they are evaluated, and which of them can be.

    Args:
        rules: as their files have them.
        written: where each stands.
        asks: by rule, settings of its group that have no meaning here.
        loaded: the groups that the Prometheus shows.
        version: of the Prometheus.
        lookback_ms: how long it takes a sample for current.
    """
    alerts = [place for place in rules.places if rules[place].type == "alerting"]
    reach = {place: reach_ms(rules, place, lookback_ms) for place in alerts}
    reasons = {place: reason for place in alerts if (reason := _why_not(rules, place, asks, reach[place])) is not None}
    places = tuple(place for place in alerts if place not in reasons)
    return PastRules(
        rules,
        written,
        tuple(phase_of(group, loaded, version) for group in rules.groups),
        places,
        reasons,
        {place: inputs(rules, place) for place in places},
        max((reach[place] for place in places), default=lookback_ms),
    )


def _why_not(rules: Rules, place: Place, asks: Mapping[Place, tuple[str, ...]], reach: int) -> Reason | None:
    for one in sorted(rules.behind([place]), key=lambda each: (each.group, each.rule)):
        what = refusal(rules[one]) or next((f"its group has a {key}" for key in asks.get(one, ())), None)
        if what is not None:
            text = f"{rules[one].name} cannot be replayed exactly: {what}"
            return Reason(code=Code.NOT_REPLAYABLE, text=text, decide_it_by="drill it live")
    if reach > MOST_REACH_MS:
        text = f"it looks back {format_duration(reach // 1000)}, more than 30 days"
        return Reason(code=Code.NOT_REPLAYABLE, text=text, decide_it_by="shorten its windows")
    return None


def unreadable_rules(engine: ReplayEngine, past: PastRules, at_ms: int) -> dict[Place, str]:
    """The rules to be evaluated that an engine cannot read, and why."""
    found = {}
    for place in sorted(past.rules.behind(past.places), key=lambda one: (one.group, one.rule)):
        try:
            engine.at(past.rules[place].query, at_ms)
        except Unreadable as error:
            found[place] = str(error)
        except Refused:
            continue
    return found


def needed(reads: Iterable[Selector]) -> list[Selector]:
    """What must exist for a rule's silence to mean something; of ALERTS there is nothing where nothing is active."""
    return [one for one in reads if one.name not in ALERT_SERIES]
