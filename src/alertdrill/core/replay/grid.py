"""When a rule group is evaluated: the instants that a recording shows, or those that the engine's own hash predicts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xxhash
from numpy.typing import NDArray

from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.observations import RuleGroup
from alertdrill.core.recording import RecordedGroup

Instants = NDArray[np.int64]
Packing = Literal["separated", "prefixed"]
"""How an engine lays out labels that it hashes: 0xff after each text (2.x), or its length before it (3.x)."""

GridSource = Literal["recorded", "predicted", "assumed"]

_NS_PER_MS = 1_000_000
_SHORT = 255


@dataclass(frozen=True, eq=False)
class Grid:
    """The evaluations of one group.

    Attributes:
        times_ms: shape (n,), ascending, engine clock.
        began_ms: shape (n,): when the engine began each, a little after its instant; the instant where nobody knows.
        took_ms: shape (n,): how long all its rules took; 0 where nobody knows.
        interval_ms: from one to the next, where none was left out.
        source: `recorded`, the engine was seen to evaluate then; `predicted` from the path that its file has where it
            is loaded; `assumed` where that path is not known, so that all instants may be off by up to an interval.
    """

    times_ms: Instants
    began_ms: Instants
    took_ms: NDArray[np.float64]
    interval_ms: int
    source: GridSource

    def began(self, position: int, rules: int) -> Instants:
        """When the engine began the rule at a position of the group, which has so many; shape (n,).

        Rules are evaluated one after the other; each is taken to last as long as any other.
        """
        return self.began_ms + (self.took_ms * position / max(1, rules)).astype(np.int64)


def phase_ms(file: str, group: str, interval_ms: int, packing: Packing) -> int:
    """Evaluations of a group lie at multiples of its interval plus this, in ms since the epoch.

    prometheus/rules/group.go, `hash` and `EvalTimestamp`: xxhash64 of the labels {file, name} mod interval, in ns.

    Args:
        file: path of the rule file, as the engine's `/rules` shows it.
        group: name of the group.
        interval_ms: its evaluation interval.
        packing: of the engine.
    """
    texts = [one.encode() for one in ("file", file, "name", group)]
    data = b"".join(text + b"\xff" if packing == "separated" else _length(text) + text for text in texts)
    return int(xxhash.xxh64_intdigest(data) % (interval_ms * _NS_PER_MS) // _NS_PER_MS)


def _length(text: bytes) -> bytes:
    size = len(text)
    return bytes([size]) if size < _SHORT else bytes([_SHORT]) + size.to_bytes(3, "little")


def packing_of(version: str) -> Packing:
    """What an engine of a version does, unless it was built otherwise."""
    return "separated" if version.partition(".")[0] in ("0", "1", "2") else "prefixed"


def confirmed_packing(case: Case, version: str) -> Packing:
    """The packing that predicts the phases of a recording's groups; where none is known, that of the version."""
    usual = packing_of(version)
    other: Packing = "prefixed" if usual == "separated" else "separated"
    seen = [(group, found) for group in groups_of(case) if (found := _seen_phase(case, group)) is not None]

    def hits(packing: Packing) -> int:
        return sum(phase_ms(one.file, one.name, _interval_ms(one), packing) == found for one, found in seen)

    return other if hits(other) > hits(usual) else usual


def groups_of(case: Case) -> tuple[RuleGroup, ...]:
    """The groups that were loaded at the start of a drill."""
    return next((one.groups for one in case.all(records.Rules)), ())


def recorded_groups(case: Case) -> tuple[RecordedGroup, ...]:
    """The groups of a drill with their phases, which what they wrote shows, or their hash."""
    packing = confirmed_packing(case, case.engine.version if case.engine else "")
    return tuple(
        RecordedGroup(one.file, one.name, _interval_ms(one), _phase(case, one, packing)) for one in groups_of(case)
    )


def _phase(case: Case, group: RuleGroup, packing: Packing) -> int:
    for one in case.recording.source.groups:
        if (one.file, one.name, one.interval_ms) == (group.file, group.name, _interval_ms(group)):
            return one.phase_ms
    seen = _seen_phase(case, group)
    return phase_ms(group.file, group.name, _interval_ms(group), packing) if seen is None else seen


def recorded_grid(case: Case, group: RuleGroup, packing: Packing) -> Grid | None:
    """The evaluations that a recording shows of a group; None where it shows none.

    The instants are those of samples that the group wrote, or follow from its hash. An instant after which the engine
    stated no evaluation for a whole interval, and at which nothing was written, was left out by the engine.
    """
    interval, phase = _interval_ms(group), _phase(case, group, packing)
    stated, lasted = _stated(case, group)
    written = _written(case, group)
    known = np.concatenate([written[written % interval == phase], stated])
    if not len(known):
        return None
    times = slots(int(known.min()), int(known.max()), interval, phase)
    began, took = times.copy(), np.zeros(len(times))
    if len(stated):
        following = np.searchsorted(stated, times)
        follows = np.searchsorted(stated, times + interval) > following
        began[follows], took[follows] = stated[following[follows]], lasted[following[follows]]
        evaluated = follows | (times < stated[0]) | np.isin(times, written)
        times, began, took = times[evaluated], began[evaluated], took[evaluated]
    return Grid(times, began, took, interval, "recorded")


def predicted_grid(from_ms: int, to_ms: int, interval_ms: int, phase: int, source: GridSource) -> Grid:
    """The instants of a phase that nobody saw."""
    times = slots(from_ms, to_ms, interval_ms, phase)
    return Grid(times, times, np.zeros(len(times)), interval_ms, source)


def slots(from_ms: int, to_ms: int, interval_ms: int, phase: int) -> Instants:
    """The instants of a phase in [from_ms, to_ms], the one at or right before `from_ms` included."""
    first = (from_ms - phase) // interval_ms * interval_ms + phase
    return np.arange(first, to_ms + 1, interval_ms, dtype=np.int64)


def _interval_ms(group: RuleGroup) -> int:
    return round(group.interval_s * 1000)


def _stated(case: Case, group: RuleGroup) -> tuple[Instants, NDArray[np.float64]]:
    """When the engine said that it had begun to evaluate a group, at or a little after the instants, and for how long.

    Both of shape (n,), ascending, ms.
    """
    found: dict[int, float] = {}
    for one in case.all(records.Evaluated):
        if (one.file, one.group) == (group.file, group.name):
            took = one.took_s or (0.0,) * len(one.evaluated_at)
            found |= {round(at * 1000): s * 1000 for at, s in zip(one.evaluated_at, took, strict=True)}
    times = sorted(found)
    return np.array(times, dtype=np.int64), np.array([found[at] for at in times], dtype=np.float64)


def _written(case: Case, group: RuleGroup) -> Instants:
    """The instants of what a group wrote, and of what others wrote under the same names."""
    recorded = {rule.name for rule in group.rules if rule.type == "recording"}
    alerts = {rule.name for rule in group.rules if rule.type == "alerting"}
    return _joined(
        one.times_ms
        for one in case.recording.series
        if one.labels.get("__name__") in recorded
        or (one.labels.get("__name__") == "ALERTS" and one.labels.get("alertname") in alerts)
    )


def _joined(times: Iterable[Instants]) -> Instants:
    return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *times]))


def _seen_phase(case: Case, group: RuleGroup) -> int | None:
    """The phase that most of what a group wrote has; None where it wrote nothing."""
    phases, counts = np.unique(_written(case, group) % _interval_ms(group), return_counts=True)
    return int(phases[counts.argmax()]) if len(phases) else None
