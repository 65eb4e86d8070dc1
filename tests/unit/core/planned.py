"""Prospects of a scenario under rules whose fill can be derived."""

from drill import group, make_plan, rule
from sample import sample

from alertdrill.core.blast_radius import blast_radius
from alertdrill.core.choices import with_choices
from alertdrill.core.observations import RuleGroup
from alertdrill.core.outlook import Planned
from alertdrill.core.plan import Plan
from alertdrill.core.prospect import Prospect, assumed_starts, prospects
from alertdrill.core.reach import reaches
from alertdrill.core.scenario import Scenario
from alertdrill.core.scope import RuleBook
from alertdrill.core.touch import Touch
from alertdrill.core.traffic import PlannedTraffic

NULLS = (
    'sum by (feature) (rate(model_feature_values_total{cell=~"null|missing"}[5s]))'
    " / sum by (feature) (rate(model_feature_values_total[5s]))"
)
ERRORS = 'sum(rate(model_requests_total{code=~"5.."}[5s])) / sum(rate(model_requests_total[5s]))'
P95 = "histogram_quantile(0.95, sum by (le) (rate(model_request_duration_seconds_bucket[5s])))"
KNOWN = group(
    rule("nulls:ratio5s", NULLS, kind="recording"),
    rule("NullsHigh", "nulls:ratio5s > 0.05", 2.0, severity="P1"),
    rule("Drift", "model_drift_evidence >= model_drift_threshold"),
    rule("ErrorsHigh", f"{ERRORS} > 0.05", 2.0),
    rule("SlowAnswers", f"{P95} > 0.25", 2.0),
    rule("NoTraffic", "sum(rate(model_requests_total[5s])) == 0", 2.0),
    rule("Odd", "deriv(model_feature_sum[5s]) > 1", 1.0),
)
TAIL_S = 9.0


def planned(scenario: Scenario, rules: RuleGroup = KNOWN, background_per_s: float | None = None) -> Planned:
    """A scenario with everything that is worked out from its plan before a run."""
    plan = the_plan(scenario, rules).model_copy(update={"background_per_s": background_per_s or 0.0})
    touch = Touch(plan)
    starts, counts = assumed_starts(plan, touch, TAIL_S)
    traffic = PlannedTraffic(plan, sample(), touch)
    return Planned(
        plan=plan,
        written=scenario,
        touch=touch,
        tail_s=TAIL_S,
        starts_s=starts,
        background_per_s=background_per_s,
        reaches=reaches(plan, touch),
        prospects=tuple(prospects(plan, traffic, RuleBook.of([rules]), 1.0, starts, counts)),
        blast_radius=blast_radius(plan, touch, ["load", "Prometheus"]),
    )


def the_plan(scenario: Scenario, rules: RuleGroup = KNOWN) -> Plan:
    """The plan of a scenario, choices by rows included."""
    return with_choices(make_plan(scenario, rules), sample())


def look(scenario: Scenario, rules: RuleGroup = KNOWN) -> list[Prospect]:
    """One prospect an expectation, as `plan` shows them."""
    return [*planned(scenario, rules).prospects]
