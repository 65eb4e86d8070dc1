"""`match: all`: one expectation for each label set that can be named before the drill.

The label sets are those that a matcher lists (`country=~"RS|CZ"`); of several such matchers, every combination. Where
none does, there is one for each feature that the fault edits and that the other matchers pass, `feature="<name>"`. Each
becomes an expectation of its own, with its own verdict, ttd, floor and worst; the alert must fire for all of them.
Label sets that nobody can name beforehand are not asked for.
"""

from collections.abc import Iterator
from itertools import islice, product

from alertdrill.core.faults.base import RowFault
from alertdrill.core.matchers import Matcher, all_match
from alertdrill.core.plan import expected_fault, named_features
from alertdrill.core.scenario import Expectation, Phase, Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.protocols.schema import Schema

MAX_SETS = 100


def with_label_sets(scenario: Scenario, schema: Schema) -> Scenario:
    """The scenario with every `match: all` written out."""
    phases = [
        phase.model_copy(update={"expect": tuple(one for e in phase.expect for one in _each(phase, e, schema))})
        for phase in scenario.phases
    ]
    return scenario.model_copy(update={"phases": tuple(phases)})


def unnamed(scenario: Scenario, schema: Schema) -> Iterator[Finding]:
    """Every `match: all` that stands for no label set, or for too many. Paths start from the name of a phase."""
    for phase in scenario.phases:
        for position, expectation in enumerate(phase.expect):
            count = len(_each(phase, expectation, schema))
            if not 0 < count <= MAX_SETS:
                many = f"more than {MAX_SETS}" if count > MAX_SETS else "none"
                expected = f"1 to {MAX_SETS} label sets that can be named beforehand, not {many}"
                at = (phase.name, "expect", position, "match")
                yield Finding(at, expected, "change the matchers, or write match: any")


def written_position(written: Phase, schema: Schema, position: int) -> int:
    """Where the expectation stands in the file that became number `position` when label sets were written out."""
    for at, expectation in enumerate(written.expect):
        position -= len(_each(written, expectation, schema))
        if position < 0:
            return at
    raise ValueError("no such expectation")


def _each(phase: Phase, expectation: Expectation, schema: Schema) -> tuple[Expectation, ...]:
    if expectation.match == "any":
        return (expectation,)
    return tuple(
        expectation.model_copy(update={"match": "any", "labels": {**expectation.labels, **labels}})
        for labels in islice(_label_sets(phase, expectation, schema), MAX_SETS + 1)
    )


def _label_sets(phase: Phase, expectation: Expectation, schema: Schema) -> Iterator[dict[str, str]]:
    lists = [one for one in expectation.matchers if one.alternatives()]
    if lists:
        for values in product(*(one.alternatives() for one in lists)):
            yield from _passing(expectation, dict(zip((one.label for one in lists), values, strict=True)))
        return
    fault = expected_fault(phase, expectation)
    for name in named_features(fault, schema) if isinstance(fault, RowFault) else ():
        yield from _passing(expectation, {"feature": name})


def _passing(expectation: Expectation, labels: dict[str, str]) -> Iterator[dict[str, str]]:
    """The label set, if no matcher and no label beside it speaks against it."""
    known: tuple[Matcher, ...] = tuple(one for one in expectation.matchers if one.label in labels)
    if all_match(known, labels) and all(expectation.labels.get(k, v) == v for k, v in labels.items()):
        yield labels
