"""When the groups of rule files would have been evaluated by a Prometheus that loads them, or their namesakes."""

from collections.abc import Sequence
from dataclasses import dataclass

from alertdrill.core.observations import RuleGroup
from alertdrill.core.replay.evidence import recorded_group
from alertdrill.core.replay.grid import Grid, GridSource, Packing, packing_of, phase_ms, predicted_grid

NOWHERE = ""
"""The path of a group that is not loaded: two versions of a file are evaluated together wherever they lie."""

LATE_MS = 5000
"""An engine begins an evaluation so much after its instant at most, on a busy host too."""


@dataclass(frozen=True)
class Phase:
    """Evaluations lie at multiples of `interval_ms` plus `phase_ms` since the epoch; `source` as of a `Grid`."""

    interval_ms: int
    phase_ms: int
    source: GridSource

    def grid(self, from_ms: int, to_ms: int) -> Grid:
        """The evaluations of [from_ms, to_ms]."""
        return predicted_grid(from_ms, to_ms, self.interval_ms, self.phase_ms, self.source)


def phase_of(group: RuleGroup, loaded: Sequence[RuleGroup], version: str) -> Phase:
    """When a group is evaluated: as its namesake was seen to be, else as the engine's hash of path and name says.

    Args:
        group: as its file has it.
        loaded: the groups that the engine shows.
        version: of the engine.
    """
    interval, usual = round(group.interval_s * 1000), packing_of(version)
    same = recorded_group(group, loaded)
    if same is not None and round(same.interval_s * 1000) == interval and same.last_evaluation is not None:
        return Phase(interval, _seen(same, interval, usual), "recorded")
    base = group.file.rsplit("/", 1)[-1]
    file = same.file if same else next((one.file for one in loaded if one.file.rsplit("/", 1)[-1] == base), None)
    phase = phase_ms(file or NOWHERE, group.name, interval, usual)
    return Phase(interval, phase, "predicted" if file else "assumed")


def _seen(group: RuleGroup, interval_ms: int, usual: Packing) -> int:
    """The phase that explains a group's last evaluation, which began at or a little after its instant."""
    began = round((group.last_evaluation or 0.0) * 1000)
    others: tuple[Packing, ...] = ("separated", "prefixed")
    for packing in (usual, *others):
        phase = phase_ms(group.file, group.name, interval_ms, packing)
        if (began - phase) % interval_ms <= min(LATE_MS, interval_ms // 2):
            return phase
    return began % interval_ms
