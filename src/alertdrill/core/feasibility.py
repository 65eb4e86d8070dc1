"""What cannot succeed, said before anything is broken."""

from collections.abc import Iterable, Iterator

from alertdrill.core.errors import Mistake, nearest
from alertdrill.core.faults.base import RowFault
from alertdrill.core.faults.mean_shift import MeanShift
from alertdrill.core.prospect import Prospect
from alertdrill.core.scenario import Scenario
from alertdrill.protocols.schema import Schema


def unknown_features(scenario: Scenario, schema: Schema, file: str) -> Iterator[Mistake]:
    """Faults on features that the target does not have, or cannot have."""
    features = {feature.name: feature for feature in schema.features}
    for p, phase in enumerate(scenario.phases):
        for f, fault in enumerate(phase.faults):
            for n, name in enumerate(fault.features if isinstance(fault, RowFault) else ()):
                where = f"phases[{p}].faults[{f}].features[{n}]"
                if name not in features:
                    near = nearest(name, features)
                    fix = f"did you mean {near}?" if near else f"write one of: {', '.join(features)}"
                    yield Mistake(where, name, "a feature of the target", fix, file=file)
                elif isinstance(fault, MeanShift) and not features[name].numeric:
                    numeric = ", ".join(feature.name for feature in features.values() if feature.numeric)
                    yield Mistake(where, f"{name}, a category", "a numeric feature", f"write one of: {numeric}", file=file)


def hopeless(prospects: Iterable[Prospect], file: str) -> Iterator[Mistake]:
    """Expectations that cannot be met: deadlines below the floor, phases shorter than `for`, doses that never suffice."""
    for one in prospects:
        where = f"phases[{one.phase.name}].expect[{one.id.split('/', 1)[1]}]"
        floor_s, expectation = one.bounds.floor_s, one.expectation
        if floor_s is not None and expectation.within < floor_s:
            worst = one.bounds.worst_s
            fix = f"within: {worst:g}s always passes on this plan" if worst is not None else f"within: {floor_s:g}s at least"
            yield Mistake(f"{where}.within", f"{expectation.within:g}s", f"{floor_s:g}s, the floor, or more", fix, file=file)
        if one.rule is not None and one.phase.duration < one.rule.rule.for_s:
            for_s = one.rule.rule.for_s
            yield Mistake(f"{where}", f"a phase of {one.phase.duration:g}s", f"longer than for: {for_s:g}s of {one.rule.name}", "lengthen the phase", file=file)
