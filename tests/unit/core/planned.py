"""Prospects of a scenario under rules whose fill can be derived."""

from drill import group, make_plan, rule
from sample import sample

from alertdrill.core.observations import RuleGroup
from alertdrill.core.prospect import Prospect, assumed_starts, prospects
from alertdrill.core.scenario import Scenario
from alertdrill.core.scope import RuleBook
from alertdrill.core.traffic import PlannedTraffic

NULLS = (
    'sum by (feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))'
    " / sum by (feature) (rate(model_feature_values_total[5s]))"
)
KNOWN = group(
    rule("nulls:ratio5s", NULLS, kind="recording"),
    rule("NullsHigh", "nulls:ratio5s > 0.05", 2.0, severity="P1"),
    rule("Drift", "model_drift_evidence >= model_drift_threshold"),
    rule("Odd", "deriv(model_feature_sum[5s]) > 1", 1.0),
)


def look(scenario: Scenario, rules: RuleGroup = KNOWN) -> list[Prospect]:
    """One prospect an expectation, as `plan` shows them."""
    plan, book = make_plan(scenario, rules), RuleBook.of([rules])
    return list(prospects(plan, PlannedTraffic(plan, sample()), book, 1.0, *assumed_starts(plan, 9.0)))
