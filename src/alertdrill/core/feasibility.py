"""What cannot succeed, said before anything is broken. Paths start from the name of a phase."""

from collections.abc import Iterable, Iterator

from alertdrill.core.errors import nearest
from alertdrill.core.faults.base import RowFault
from alertdrill.core.faults.mean_shift import MeanShift
from alertdrill.core.prospect import Prospect
from alertdrill.core.scenario import Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.protocols.schema import Schema


def unknown_features(scenario: Scenario, schema: Schema) -> Iterator[Finding]:
    """Faults on features that the target does not have, or cannot have."""
    features = {feature.name: feature for feature in schema.features}
    for phase in scenario.phases:
        for position, fault in enumerate(phase.faults):
            for n, name in enumerate(fault.features if isinstance(fault, RowFault) else ()):
                path = (phase.name, "faults", position, "features", n)
                if name not in features:
                    near = nearest(name, features)
                    fix = f"did you mean {near}?" if near else f"write one of: {', '.join(features)}"
                    yield Finding(path, "a feature of the target", fix)
                elif isinstance(fault, MeanShift) and not features[name].numeric:
                    numeric = ", ".join(feature.name for feature in features.values() if feature.numeric)
                    yield Finding(path, "a numeric feature", f"write one of: {numeric}", f"{name}, a category")


def hopeless(prospects: Iterable[Prospect]) -> Iterator[Finding]:
    """Expectations that cannot be met: deadlines below the floor, phases shorter than `for`."""
    for one in prospects:
        path = (one.phase.name, "expect", one.phase.expect.index(one.expectation))
        floor_s, worst_s, expectation = one.bounds.floor_s, one.bounds.worst_s, one.expectation
        if floor_s is not None and expectation.within < floor_s:
            fix = (
                f"within: {worst_s:g}s always passes on this plan"
                if worst_s is not None
                else f"within: {floor_s:g}s or more"
            )
            yield Finding((*path, "within"), f"{floor_s:g}s, the floor of what the settings allow, or more", fix)
        if one.rule is not None and one.phase.duration < one.rule.rule.for_s:
            expected = f"longer than `for: {one.rule.rule.for_s:g}s` of {one.rule.name}"
            yield Finding((one.phase.name, "duration"), expected, "lengthen the phase")
