"""Whether an alert reached its receiver, at the highest level that the drill could see: posted, accepted, delivered."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode
from alertdrill.core.asked import Asked, because
from alertdrill.core.case import Case
from alertdrill.core.matchers import in_braces
from alertdrill.core.receivers import AUTHOR
from alertdrill.core.result import Code, Reason
from alertdrill.core.scenario import Level
from alertdrill.core.witness import is_of

CLOCKS_AGREE_MS = 100
"""An Alertmanager whose clock says that it took an alert when we know that it did is believed to the millisecond."""


@dataclass(frozen=True)
class Arrival:
    """A notification that came as far as can be seen; `receiver` is None where nobody routes."""

    at_ms: int
    receiver: str | None


@dataclass(frozen=True)
class Notification:
    """What became of a notification.

    Attributes:
        outcome: how far it came in time, or what became of it instead; None where nobody asked and nothing came.
        at_ms: when it came there, engine clock.
        receivers: who got it, or to whom it is routed.
        evidence: instants by level, and what held it back.
    """

    outcome: str | None
    at_ms: int | None = None
    reason: Reason | None = None
    receivers: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


def reaches(notice: records.Notice, level: Level | None, receiver: str | None) -> bool:
    """Whether a notice shows that a firing alert came as far as a level, for a receiver (None: any)."""
    match notice:
        case records.Delivered():
            return level == "delivered" and notice.status == "firing" and receiver in (None, notice.receiver)
        case records.Accepted():
            return level == "accepted" and (receiver is None or receiver in notice.receivers)
        case records.Post():
            return level == "posted" and notice.status == "firing"


@dataclass(frozen=True)
class Sightings:
    """Everything that was seen of the notifications of one episode."""

    case: Case
    episode: Episode

    @property
    def level(self) -> Level | None:
        """How far notifications of this drill can be seen to come."""
        return self.case.plan.scenario.monitoring.level

    def _is_ours(self, labels: dict[str, str], starts_at_ms: int) -> bool:
        """Whether a notice is of this episode: its labels, and it began while the episode lasted."""
        until = self.case.recording.to_ms if self.episode.resolved_at is None else self.episode.resolved_at
        return self.episode.pending_at <= starts_at_ms < until and is_of(self.episode.label_map, labels)

    @cached_property
    def posted_ms(self) -> int | None:
        """When our own receiver got the first post of the firing alert."""
        for post in self.case.posts_of(self.episode.alert):
            same = post.status == "firing" and post.starts_at_ms == self.episode.firing_at
            if same and is_of(self.episode.label_map, post.labels):
                return self.case.engine_ms(post.at)
        return None

    @cached_property
    def accepted(self) -> tuple[records.Accepted, ...]:
        """What the Alertmanager showed of it, in order."""
        return tuple(one for one in self.case.all(records.Accepted) if self._is_ours(one.labels, one.starts_at_ms))

    @cached_property
    def delivered(self) -> tuple[records.Delivered, ...]:
        """The notifications that it is in, in order."""
        found = self.case.all(records.Delivered)
        return tuple(one for one in found if one.status == "firing" and self._is_ours(one.labels, one.starts_at_ms))

    @cached_property
    def accepted_ms(self) -> int | None:
        """When the Alertmanager took it: what its clock says if that fits when we saw it, else when we saw it."""
        if not self.accepted:
            return None
        first = self.accepted[0]
        seen_ms = self.case.engine_ms(first.at)
        unseen_ms = seen_ms if first.unseen_at is None else self.case.engine_ms(first.unseen_at)
        fits = unseen_ms - CLOCKS_AGREE_MS <= first.updated_at_ms <= seen_ms + CLOCKS_AGREE_MS
        return min(seen_ms, first.updated_at_ms) if fits else seen_ms

    @cached_property
    def routing(self) -> records.Alertmanager | None:
        """The Alertmanager of the drill."""
        return next(iter(self.case.all(records.Alertmanager)), None)

    def group_wait_s(self, receiver: str | None) -> float:
        """How long the Alertmanager waits before it first tells of it; 0 where that is not known."""
        known = self.routing.routing if self.routing else None
        return known.group_wait_s(self.accepted[0].labels, receiver) if known and self.accepted else 0.0

    @cached_property
    def ours(self) -> frozenset[str]:
        """Ids of the silences that hold nothing back that counts: of this drill, and of others while this has one.

        The drill before this one, of several, leaves its silence to alerts that had not ended.
        """
        silences = self.case.all(records.Silence)
        silenced = any(one.ours for one in silences)
        return frozenset(one.id for one in silences if one.ours or (silenced and one.created_by == AUTHOR))

    def held_back(self, one: records.Accepted) -> bool:
        """Whether something but this drill keeps people from being told."""
        foreign = set(one.silenced_by) - self.ours
        return bool(foreign or one.inhibited_by or one.muted_by)

    def arrivals(self) -> tuple[Arrival, ...]:
        """Every time that it came to the highest level, in order."""
        if self.level == "delivered":
            return tuple(Arrival(self.case.engine_ms(one.at), one.receiver) for one in self.delivered)
        if self.level == "accepted":
            return tuple(self._acceptances())
        return () if self.posted_ms is None else (Arrival(self.posted_ms, None),)

    def _acceptances(self) -> Iterable[Arrival]:
        """When it was accepted for each of its receivers, and not held back by the time that they would be told."""
        if self.accepted_ms is None:
            return
        for receiver in dict.fromkeys(name for one in self.accepted for name in one.receivers):
            told_ms = self.accepted_ms + round(self.group_wait_s(receiver) * 1000)
            until = [one for one in self.accepted[1:] if self.case.engine_ms(one.at) <= told_ms]
            state, later = [self.accepted[0], *until][-1], self.accepted[1 + len(until) :]
            if not self.held_back(state):
                yield Arrival(self.accepted_ms, receiver)
                continue
            freed = next((one for one in later if not self.held_back(one)), None)
            if freed is not None:
                yield Arrival(self.case.engine_ms(freed.at), receiver)

    def evidence(self) -> dict[str, Any]:
        """Instants by level (seconds, engine clock), and what held it back."""
        delivered = [self.case.engine_ms(one.at) for one in self.delivered]
        found: dict[str, Any] = {
            "level": self.level,
            "posted_at": _seconds(self.posted_ms),
            "accepted_at": _seconds(self.accepted_ms),
            "delivered_at": _seconds(min(delivered, default=None)),
        }
        if self.accepted:
            found |= {"routed_to": list(self.accepted[-1].receivers), "group_wait_s": self.group_wait_s(None)}
        if self.delivered:
            found["delivered_to"] = [
                {"receiver": one.receiver, "integration": one.integration, "to": list(one.to)} for one in self.delivered
            ]
        held = next((one for one in self.accepted if self.held_back(one)), None)
        return found | ({"held_back_by": self.holders(held)} if held is not None else {})

    def holders(self, one: records.Accepted) -> list[str]:
        """What holds an alert back, each in words."""
        known = {silence.id: silence for silence in self.case.all(records.Silence)}
        silences = [_named(identity, known.get(identity)) for identity in one.silenced_by if identity not in self.ours]
        inhibitors = [f"the alert {_shown(labels)} inhibits it" for labels in one.inhibited_by]
        return [*silences, *inhibitors, *(f"the time interval {name} mutes it" for name in one.muted_by)]


def notification_of(asked: Asked, episode: Episode) -> Notification:
    """What became of the notification of an episode that fired."""
    seen, wanted = Sightings(asked.case, episode), asked.expectation.notifies
    evidence = seen.evidence()
    arrivals = seen.arrivals()
    if wanted is None:
        return _unasked(seen, evidence)
    mine = [one for one in arrivals if wanted.receiver in (None, one.receiver)]
    if not mine:
        outcome, why = _why_not(asked, seen, arrivals)
        return Notification(outcome, None, why, tuple(_names(arrivals)), evidence)
    first = min(mine, key=lambda one: one.at_ms)
    ttn_ms = first.at_ms - (asked.delivery.first_ms or 0)
    late = _late(seen, first, ttn_ms, wanted.within) if ttn_ms > round(wanted.within * 1000) else None
    outcome = str(seen.level) if late is None else "late"
    return Notification(outcome, first.at_ms, late, tuple(_names(arrivals)), evidence)


def _late(seen: Sightings, first: Arrival, ttn_ms: int, within_s: float) -> Reason:
    to, wait_s = "", 0.0
    if seen.level == "delivered":
        to, wait_s = f" to {first.receiver}", seen.group_wait_s(first.receiver)
    waits = f", of which group_wait: {wait_s:g}s" if wait_s else ""
    text = f"{seen.level}{to} after {ttn_ms / 1000:.3f} s{waits}, asked for {within_s:g} s"
    return because(Code.TOO_LATE, text, f"notifies: {{within: {math.ceil(ttn_ms / 1000)}s}}")


def _unasked(seen: Sightings, evidence: Mapping[str, Any]) -> Notification:
    """How far it came, where nobody asked: the highest level at which anything was seen."""
    arrivals = seen.arrivals()
    if arrivals:
        return Notification(str(seen.level), arrivals[0].at_ms, None, tuple(_names(arrivals)), evidence)
    lower = (("accepted", seen.accepted_ms), ("posted", seen.posted_ms))
    outcome, at_ms = next(((name, at) for name, at in lower if at is not None), (None, None))
    return Notification(outcome, at_ms, None, (), evidence)


def _why_not(asked: Asked, seen: Sightings, arrivals: tuple[Arrival, ...]) -> tuple[str, Reason]:
    """What became of a notification that its receiver is not known to have got, and why."""
    doubt = _doubt(asked, seen)
    if doubt is not None:
        return "inconclusive", doubt
    explained: tuple[Callable[[Asked, Sightings, tuple[Arrival, ...]], tuple[str, Reason] | None], ...] = (
        _held_back,
        _wrong_receiver,
        _not_delivered,
    )
    for explain in explained:
        found = explain(asked, seen, arrivals)
        if found is not None:
            return found
    if seen.level == "posted" or (seen.posted_ms is None and asked.case.all(records.Post)):
        text = "no alert post reached the receiver"
        return "not_posted", because(Code.NOT_POSTED, text, "see alerting.alertmanagers of the engine")
    text = "Prometheus posted it, and the Alertmanager never had it"
    if seen.posted_ms is None:
        text = "the Alertmanager never had it"
    fix = "see alerting.alertmanagers of the Prometheus, alert_relabel_configs included, and the Alertmanager's log"
    return "not_accepted", because(Code.NOT_ACCEPTED, text, fix)


def _doubt(asked: Asked, seen: Sightings) -> Reason | None:
    """Why nothing can be said."""
    case, wanted = asked.case, asked.expectation.notifies
    if seen.level is None:
        text = "no receiver of alertdrill's listens to a Prometheus of your own"
        fix = "add monitoring.alertmanager: {url: …} of the one that it posts to, or leave notifies out"
        return because(Code.NOT_POSTED, text, fix)
    gone = [one for one in case.all(records.Trouble) if one.kind == "alertmanager_gone"]
    if gone:
        return because(Code.QUERY_FAILED, gone[0].what, "keep the Alertmanager running, then run again")
    if wanted is not None and (asked.delivery.first_ms or 0) + round(wanted.within * 1000) > case.recording.to_ms:
        text = "the drill ended before its deadline to notify"
        return because(Code.INTERRUPTED, text, "let the drill run to its end")
    if seen.level != "posted" and seen.routing is None:
        return because(Code.QUERY_FAILED, "the Alertmanager was never read", "let the drill run to its end")
    return None


def _held_back(asked: Asked, seen: Sightings, arrivals: tuple[Arrival, ...]) -> tuple[str, Reason] | None:
    held = [one for one in seen.accepted if seen.held_back(one)]
    wanted = asked.expectation.notifies
    receiver = wanted.receiver if wanted else None
    if not held or not (receiver is None or receiver in held[0].receivers):
        return None
    text = "; ".join(seen.holders(held[0]))
    ways = [
        *(["end the silence"] if set(held[0].silenced_by) - seen.ours else []),
        *(["mend inhibit_rules, or keep the other alert from firing"] if held[0].inhibited_by else []),
        *(["drill at another time"] if held[0].muted_by else []),
    ]
    return "suppressed", because(Code.SUPPRESSED, text, "; ".join(ways))


def _wrong_receiver(asked: Asked, seen: Sightings, arrivals: tuple[Arrival, ...]) -> tuple[str, Reason] | None:
    wanted = asked.expectation.notifies
    receiver = wanted.receiver if wanted else None
    routed = seen.accepted[-1].receivers if seen.accepted else ()
    if receiver is None or receiver in routed or not (routed or arrivals):
        return None
    got = ", ".join(_names(arrivals)) or ", ".join(routed)
    verb = "delivered to" if arrivals and seen.level == "delivered" else "routed to"
    fix = f"add a route to {receiver} that these labels match, or write receiver: {got.split(', ')[0]}"
    return "wrong_receiver", because(Code.WRONG_RECEIVER, f"{verb} {got}, not to {receiver}", fix)


def _not_delivered(asked: Asked, seen: Sightings, arrivals: tuple[Arrival, ...]) -> tuple[str, Reason] | None:
    if seen.level != "delivered" or seen.accepted_ms is None:
        return None
    wanted = asked.expectation.notifies
    receiver = wanted.receiver if wanted else None
    after_s = (seen.accepted_ms - (asked.delivery.first_ms or 0)) / 1000
    who = receiver or ", ".join(seen.accepted[-1].receivers)
    text = f"the Alertmanager had it after {after_s:.3f} s, and told {who} nothing{_delays(seen, receiver)}"
    fix = "give the receiver an integration, mend its templates, shorten group_wait, or drill at another time"
    return "not_delivered", because(Code.NOT_DELIVERED, text, fix)


def _delays(seen: Sightings, receiver: str | None) -> str:
    """What of the routes may have kept a notification back."""
    routing = seen.routing.routing if seen.routing else None
    if routing is None:
        return ""
    if receiver is not None and not routing.receivers.get(receiver):
        return ": it has no integration"
    leaves = [one for one in routing.leaves(seen.accepted[0].labels) if receiver in (None, one.receiver)]
    said = [f"group_wait is {one.group_wait_s:g} s" for one in leaves if one.group_wait_s]
    said += [f"its route is mute in {', '.join(one.muted_at)}" for one in leaves if one.muted_at]
    said += [f"its route speaks only in {', '.join(one.active_at)}" for one in leaves if one.active_at]
    return f": {'; '.join(dict.fromkeys(said))}" if said else ""


def _names(arrivals: Iterable[Arrival]) -> Iterable[str]:
    return dict.fromkeys(one.receiver for one in arrivals if one.receiver is not None)


def _named(identity: str, silence: records.Silence | None) -> str:
    if silence is None:
        return f"the silence {identity} silences it"
    said = f": {silence.comment}" if silence.comment else ""
    return (
        f"the silence {identity} of {silence.created_by or 'nobody'} on {', '.join(silence.matchers)} silences it{said}"
    )


def _shown(labels: Mapping[str, str]) -> str:
    others = {name: value for name, value in labels.items() if name != "alertname"}
    return f"{labels.get('alertname', '')}{in_braces(others)}"


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
