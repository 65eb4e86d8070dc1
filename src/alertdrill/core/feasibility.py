"""What of a scenario its target's schema does not allow. Paths start from the name of a phase."""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from alertdrill.core.errors import nearest
from alertdrill.core.exchanges import alters, cannot_be_inside
from alertdrill.core.faults.base import ALL_FEATURES, BodyFault, ExchangeFault, Fault, Place, RowFault, SlicedFault
from alertdrill.core.faults.sample.vanished_slice import VanishedSlice
from alertdrill.core.plan import fault_id, named_features
from alertdrill.core.scenario import Phase, Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scenario.load import locustfile
from alertdrill.core.selection import ByItself, ByOther, Wanted
from alertdrill.core.units import ComparedWith
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

Features = Mapping[str, Feature]


def unknown_features(scenario: Scenario, schema: Schema) -> Iterator[Finding]:
    """Faults and expectations on features that the target does not have, or cannot have."""
    features = {feature.name: feature for feature in schema.features}
    for phase in scenario.phases:
        if scenario.monitoring.monitor == "sidecar":
            yield from _unknown_in_labels(phase, features)
        yield from _in_each_others_way(phase)
        for position, fault in enumerate(phase.faults):
            path = (phase.name, "faults", position)
            if isinstance(fault, RowFault):
                yield from _edited(fault, path, features)
            if isinstance(fault, SlicedFault):
                yield from _slice(fault, path, schema)
            if isinstance(fault, ExchangeFault) and (instead := cannot_be_inside(fault)):
                yield Finding((*path, "place"), instead, "write place: model", "inside")
            yield from _not_carried(fault, path, schema)
            if locustfile(scenario.load) is not None:
                yield from _not_in_bodies_of_users(fault, path, schema)
            for mistake in fault.unfit(schema):
                yield Finding((*path, *mistake.at), mistake.expected, mistake.fix, mistake.got)


def _not_carried(fault: Fault, path: Path, schema: Schema) -> Iterator[Finding]:
    """A fault that the target's protocol cannot carry, as it writes rows."""
    lacks = schema.form.lacks
    why = next((lacks[trait] for trait in sorted(fault.needs) if trait in lacks), None)
    if why is not None:
        expected = f"a fault that {schema.protocol.kind} can carry as it is set ({why})"
        yield Finding((*path, "kind"), expected, "choose another fault (docs/protocols.md says which can be sent)")


def _not_in_bodies_of_users(fault: Fault, path: Path, schema: Schema) -> Iterator[Finding]:
    """A data fault on bodies that users of a locustfile make: of these, only flat objects can be taken apart."""
    if isinstance(fault, RowFault | BodyFault) and not schema.protocol.plain:
        expected = "an arrival or exchange fault: of bodies that users make, only those of plain json can be edited"
        yield Finding((*path, "kind"), expected, "remove load.locustfile, so that the drill makes the requests")


def _in_each_others_way(phase: Phase) -> Iterator[Finding]:
    """Faults of one phase that would alter the same answers at one place: only the first of them could."""
    first: dict[Place, str] = {}
    for position, fault in enumerate(phase.faults):
        if isinstance(fault, ExchangeFault) and alters(fault.effect(0.5, 1.0)):
            if fault.place in first:
                expected = f"one fault a phase that alters what passes at {fault.place} ({first[fault.place]} does)"
                yield Finding((phase.name, "faults", position, "kind"), expected, "give it a phase of its own")
            first.setdefault(fault.place, fault_id(fault))


def _edited(fault: RowFault, path: Path, features: Features) -> Iterator[Finding]:
    """Names and patterns of features that the fault cannot edit, or that there are not."""
    able = [feature.name for feature in features.values() if feature.kind in fault.edits]
    for n, pattern in enumerate(fault.features):
        at = (*path, "features", n)
        if pattern in features:
            if pattern not in able:
                kinds = " or ".join(_kind(kind) for kind in FeatureKind if kind in fault.edits)
                yield Finding(at, kinds, _one_of(able), f"{pattern}, {_kind(features[pattern].kind)}")
        elif pattern == ALL_FEATURES and not able:
            yield Finding(at, f"a target with a feature that {fault.kind} can edit", _one_of(able), "all")
        elif not any(fnmatchcase(name, pattern) for name in able):
            wild = any(character in pattern for character in "*?[")
            fits = f"a pattern that fits a feature which {fault.kind} can edit"
            expected, near = fits if wild else "a feature of the target", nearest(pattern, features)
            yield Finding(at, expected, f"did you mean {near}?" if near else _one_of(able))


def _kind(kind: FeatureKind) -> str:
    return f"an {kind}" if kind is FeatureKind.INTEGER else f"a {kind}"


def _one_of(names: Collection[str]) -> str:
    return f"write one of: {', '.join(names)}" if names else "choose another fault: the target has no such feature"


def _slice(fault: SlicedFault, path: Path, schema: Schema) -> Iterator[Finding]:
    """Conditions and selections that no row of the target can meet."""
    features = {feature.name: feature for feature in schema.features}
    for key, wanted in _conditions(fault):
        yield from _condition((*path, *key), key[-1], wanted, features)
    numeric = [feature.name for feature in schema.features if feature.numeric]
    if isinstance(fault.select, ByOther) and fault.select.feature not in numeric:
        yield Finding((*path, "select", "feature"), "a numeric feature of the target", _one_of(numeric))
    if isinstance(fault.select, ByItself):
        yield from _by_itself(fault, path, schema, numeric)


def _conditions(fault: SlicedFault) -> Iterator[tuple[tuple[str, str], Wanted]]:
    for name, wanted in (fault.where or {}).items():
        yield ("where", name), wanted
    if isinstance(fault, VanishedSlice):
        for name, wanted in fault.rows.items():
            yield ("rows", name), wanted


def _condition(at: Path, name: str, wanted: Wanted, features: Features) -> Iterator[Finding]:
    feature = features.get(name)
    if feature is None:
        near = nearest(name, features)
        fix = f"did you mean {near}?" if near else _one_of(features)
        yield Finding(at, "a feature of the target", fix, name, at_key=True)
    elif feature.kind is FeatureKind.CATEGORY:
        if isinstance(wanted, ComparedWith):
            yield Finding(at, f"a value of {name}, or a list, as it is a category", "write the text that it must have")
        elif any(not isinstance(one, str) for one in wanted):
            yield Finding(at, f"text, as {name} is a category", "put the value in quotes")
    elif not isinstance(wanted, ComparedWith) and any(isinstance(one, str) for one in wanted):
        yield Finding(at, f"a number or a comparison, as {name} is no category", 'write it like "> 100"')


def _by_itself(fault: SlicedFault, path: Path, schema: Schema, numeric: Collection[str]) -> Iterator[Finding]:
    at = (*path, "select", "kind")
    if not isinstance(fault, RowFault):
        yield Finding(at, "mcar or mar, as this fault breaks no value", "write {kind: mar, feature: …}", "mnar")
        return
    if len(named_features(fault, schema)) > 1 and fault.of == "requests":
        yield Finding(at, "one feature, or of: cells, so that each value decides for itself", "add of: cells", "mnar")
    for n, pattern in enumerate(fault.features):
        names = named_features(fault.model_copy(update={"features": (pattern,)}), schema)
        others = [name for name in names if name not in numeric]
        if others:
            written = "all" if pattern == ALL_FEATURES else pattern
            got = written if [written] == others else f"{written}, to which {others[0]} belongs"
            expected = "numeric features, whose values have ranks"
            yield Finding((*path, "features", n), expected, _one_of(numeric), got)


def _unknown_in_labels(phase: Phase, features: Features) -> Iterator[Finding]:
    """Expected `feature` labels that the reference monitor cannot export, and matchers that pass none of them."""
    for position, expectation in enumerate(phase.expect):
        name = expectation.labels.get("feature")
        if name is not None and name not in features:
            near = nearest(name, features)
            fix = f"did you mean {near}?" if near else _one_of(features)
            yield Finding((phase.name, "expect", position, "labels", "feature"), "a feature of the target", fix)
        for number, one in enumerate(expectation.matchers):
            if one.label == "feature" and not any(one.matches({"feature": feature}) for feature in features):
                at = (phase.name, "expect", position, "matchers", number)
                near = nearest(one.value.split("|")[0].rstrip(".*"), features)
                fix = f"did you mean {near}?" if near else _one_of(features)
                yield Finding(at, "a matcher that a feature of the target passes", fix, one.text())
