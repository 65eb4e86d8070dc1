"""What cannot succeed, said before anything is broken. Paths start from the name of a phase."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping

from alertdrill.core.errors import nearest
from alertdrill.core.faults.base import RowFault
from alertdrill.core.faults.mean_shift import MeanShift
from alertdrill.core.prospect import Prospect
from alertdrill.core.scenario import Phase, Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.protocols.schema import Feature, Schema


def unknown_features(scenario: Scenario, schema: Schema) -> Iterator[Finding]:
    """Faults and expectations on features that the target does not have, or cannot have."""
    features = {feature.name: feature for feature in schema.features}
    for phase in scenario.phases:
        if scenario.monitoring.monitor == "sidecar":
            yield from _unknown_in_labels(phase, features)
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


def _unknown_in_labels(phase: Phase, features: Mapping[str, Feature]) -> Iterator[Finding]:
    """Expected `feature` labels that the reference monitor cannot export."""
    for position, expectation in enumerate(phase.expect):
        name = expectation.labels.get("feature")
        if name is not None and name not in features:
            near = nearest(name, features)
            fix = f"did you mean {near}?" if near else f"write one of: {', '.join(features)}"
            yield Finding((phase.name, "expect", position, "labels", "feature"), "a feature of the target", fix)


def hopeless(prospects: Iterable[Prospect], alerts: Collection[str]) -> Iterator[Finding]:
    """Expectations that cannot be met.

    Alerts that are not loaded or carry other labels, doses that never suffice, deadlines below the floor, phases
    shorter than `for`.

    Args:
        prospects: what the expectations can hope for.
        alerts: names of the loaded alerts.
    """
    for one in prospects:
        path = (one.phase.name, "expect", one.phase.expect.index(one.expectation))
        yield from _wrong_rule(one, path, alerts)
        if one.fill is not None and math.isinf(one.fill.low_s):
            yield Finding((*path, "alert"), "an alert that the planned dose can raise", "raise the share or the dose")
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


def _wrong_rule(one: Prospect, path: tuple[str | int, ...], alerts: Collection[str]) -> Iterator[Finding]:
    if one.rule is None:
        near = nearest(one.expectation.alert, alerts)
        fix = f"did you mean {near}?" if near else "load a rule of that name"
        yield Finding((*path, "alert"), "an alert of the loaded rules", fix)
        return
    for label, wanted in one.expectation.labels.items():
        got = one.rule.rule.labels.get(label, wanted)
        if got != wanted and "{{" not in got:
            yield Finding((*path, "labels", label), f"{got}, as the rule says", "correct the expectation or the rule")
