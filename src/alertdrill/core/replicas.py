"""What each replica of a Prometheus saw of a drill, as if it had been the only one.

A drill is judged once for each replica, by its own rules, samples, evaluations and clock; `core/agreement.py` then
makes one verdict of theirs. Where there are no replicas, the one Prometheus saw everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from alertdrill.core import journal as records
from alertdrill.core.observations import RawSeries, RuleGroup
from alertdrill.core.recording import Recording, merge
from alertdrill.core.result import ExpectationResult


@dataclass(frozen=True, eq=False)
class Seen:
    """What one Prometheus saw of a drill; `replica` is None where there is only one."""

    replica: str | None
    journal: tuple[records.Record, ...]
    recording: Recording


def seen_by_each(journal: Iterable[records.Record], recording: Recording) -> tuple[Seen, ...]:
    """The same drill as each replica saw it, in the order of the scenario."""
    all_records = tuple(journal)
    replicas = next((one for one in all_records if isinstance(one, records.Replicas)), None)
    if replicas is None:
        return (Seen(None, all_records, recording),)
    return tuple(
        Seen(name, tuple(_told(all_records, name, replicas.label)), _samples(recording, name, replicas))
        for name in replicas.names
    )


def seen_by_decisive(
    journal: Iterable[records.Record], recording: Recording, expectations: Iterable[ExpectationResult]
) -> Seen:
    """What the replica saw whose instants most expectations have; where there are no replicas, the one Prometheus."""
    decisive = [one.replicas.decisive for one in expectations if one.replicas is not None]
    return max(seen_by_each(journal, recording), key=lambda one: decisive.count(one.replica or ""))


def without(labels: Mapping[str, str], label: str | None) -> dict[str, str]:
    """Labels but for the one in which replicas differ."""
    return {name: value for name, value in labels.items() if name != label}


def by_replica(labels: Iterable[Mapping[str, str]], names: Sequence[str], label: str) -> tuple[list[int], ...]:
    """Which of several label sets are of each replica: those with its name, and those without the label."""
    shown = [one.get(label, "") for one in labels]
    return tuple([at for at, value in enumerate(shown) if value in (name, "")] for name in names)


def _told(journal: Iterable[records.Record], name: str, label: str | None) -> Iterable[records.Record]:
    """The records that are common to all replicas, and those of this one."""
    for one in journal:
        if getattr(one, "replica", None) not in (None, name):
            continue
        if label is not None and isinstance(one, records.Rules):
            yield one.model_copy(update={"groups": _groups(one.groups, name, label)})
        elif label is not None and isinstance(one, records.Answer):
            mine = tuple(without(labels, label) for labels in one.labels if labels.get(label, name) == name)
            yield one.model_copy(update={"labels": mine})
        else:
            yield one


def replica_of(group: RuleGroup, label: str) -> str | None:
    """Whose rules a group holds, where an address lists those of several replicas, as Thanos does."""
    return next((rule.labels[label] for rule in group.rules if label in rule.labels), None)


def _groups(groups: Iterable[RuleGroup], name: str, label: str) -> tuple[RuleGroup, ...]:
    return tuple(
        replace(group, rules=tuple(replace(rule, labels=without(rule.labels, label)) for rule in group.rules))
        for group in groups
        if replica_of(group, label) in (None, name)
    )


def _samples(recording: Recording, name: str, replicas: records.Replicas) -> Recording:
    mine, label = recording, replicas.label
    if replicas.apart and name != replicas.names[0]:
        mine = recording.replicas.get(name, Recording(recording.from_ms, recording.from_ms, ()))
    if label is None:
        return Recording(mine.from_ms, mine.to_ms, mine.series)
    kept = (one for one in mine.series if replicas.apart or one.labels.get(label, name) == name)
    series = merge(RawSeries(without(one.labels, label), one.times_ms, one.values) for one in kept)
    return Recording(mine.from_ms, mine.to_ms, series)
