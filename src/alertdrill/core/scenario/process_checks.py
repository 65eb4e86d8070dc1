"""Where faults on the target's processes can stand: beside a target that alertdrill starts, alone in their phase."""

from collections.abc import Iterator

from alertdrill.core.faults.base import ExchangeFault, Place, ProcessFault
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scenario.outline import FaultOutline, Outline

Placed = tuple[Path, FaultOutline]


def process_checks(outline: Outline) -> Iterator[Finding]:
    """Every disagreement between a fault on processes and what stands beside it."""
    placed = list(_faults(outline))
    halting = [one for one in placed if issubclass(_kind(one[1]), ProcessFault)]
    target = outline.target if isinstance(outline.target, dict) else {}
    for path, fault in halting if "url" in target else ():
        expected = (
            f"a target that alertdrill starts, as {fault.kind} acts on processes, and those at target.url are not ours"
        )
        fix = "write target: {command: …} or {bundled: …}; {kind: black_hole} in front of it is as silent as a pause"
        yield Finding((*path, "kind"), expected, fix)
    seen: set[Path] = set()
    for path, fault in halting:
        if path[:2] in seen:
            expected = "one fault on processes a phase: they begin and end with it"
            yield Finding((*path, "kind"), expected, f"move {fault.kind} to a phase of its own")
        seen.add(path[:2])
    for path, fault in placed if halting else ():
        if issubclass(_kind(fault), ExchangeFault) and fault.place == Place.INSIDE:
            expected = "a place outside the app: one that is stopped or killed forgets the faults inside it"
            yield Finding((*path, "place"), expected, f"write place: model, or drill {halting[0][1].kind} by itself")
    if (
        "metrics" in target
        and "command" in target
        and isinstance(getattr(outline.monitoring, "prometheus", None), dict)
    ):
        expected = "a managed Prometheus beside it, as your own cannot know a port that is chosen anew for each drill"
        yield Finding(("target", "metrics"), expected, "remove it, or prometheus", "metrics", at_key=True)


def _faults(outline: Outline) -> Iterator[Placed]:
    for position, phase in enumerate(outline.phases or ()):
        for number, fault in enumerate((phase.faults if phase else None) or ()):
            if fault is not None and fault.kind in KINDS:
                yield ("phases", position, "faults", number), fault


def _kind(fault: FaultOutline) -> type:
    return KINDS[fault.kind or ""]
