"""The second witness: what Prometheus's own alert posts state of the instants that its samples show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode
from alertdrill.core.case import Case
from alertdrill.core.matchers import in_braces
from alertdrill.core.result import WitnessResult

AGREES_MS = 1


@dataclass(frozen=True)
class Testimony:
    """What the posts state of one instant; `ahead_ms` is how much later it is there than in the samples."""

    episode: Episode
    what: str
    ahead_ms: int

    @property
    def agrees(self) -> bool:
        """Whether it is the same instant to the millisecond."""
        return abs(self.ahead_ms) <= AGREES_MS

    def __str__(self) -> str:
        alert = self.episode.alert + in_braces(dict(self.episode.labels))
        return f"{alert} {self.what} {self.ahead_ms / 1000:+.3f} s from its samples by the engine's post"


def is_of(alert: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether labels of a notice, with what external labels were added, are those of an alert."""
    return all(labels.get(name) == value for name, value in alert.items())


def fired(case: Case, episode: Episode) -> Testimony | None:
    """What the posts state of when an episode fired; of several the nearest, None if none is of this episode."""
    if episode.firing_at is None:
        return None
    until = case.recording.to_ms if episode.resolved_at is None else episode.resolved_at
    alert = episode.label_map
    stated = [
        post.starts_at_ms - episode.firing_at
        for post in case.posts_of(episode.alert)
        if episode.pending_at <= post.starts_at_ms < until and is_of(alert, post.labels)
    ]
    return Testimony(episode, "fired", min(stated, key=abs)) if stated else None


def resolved(case: Case, episode: Episode) -> Testimony | None:
    """What the posts state of when an episode resolved; None if none does."""
    if episode.firing_at is None or episode.resolved_at is None:
        return None
    alert = episode.label_map
    stated = [
        post.ends_at_ms - episode.resolved_at
        for post in case.posts_of(episode.alert)
        if post.status == "resolved"
        and post.ends_at_ms is not None
        and abs(post.starts_at_ms - episode.firing_at) <= AGREES_MS
        and is_of(alert, post.labels)
    ]
    return Testimony(episode, "resolved", min(stated, key=abs)) if stated else None


def _all(case: Case) -> Iterator[Testimony]:
    for episode in case.episodes:
        yield from (one for one in (fired(case, episode), resolved(case, episode)) if one is not None)


def testify(case: Case) -> WitnessResult | None:
    """What the posts of a whole drill state; None if there are none."""
    if not case.all(records.Post):
        return None
    found = list(_all(case))
    return WitnessResult(
        instants=len(found),
        max_difference_s=max((abs(one.ahead_ms) for one in found), default=0) / 1000,
        differences=tuple(str(one) for one in found if not one.agrees),
    )
