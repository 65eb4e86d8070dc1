from dataclasses import replace
from unittest.mock import Mock

import pytest
from tests.unit.core.drill import RULES, read
from tests.unit.run.world import SteppedClock

from alertdrill.core.kept import Kept
from alertdrill.core.recording import ALWAYS
from alertdrill.run.ports import AlertSource
from alertdrill.run.replica import Replica


@pytest.mark.parametrize(("interval_s", "every_s"), [(1.0, 0.25), (3.0, 0.75), (4.0, 2.0), (15.0, 7.5)])
def test_rules_are_looked_at_twice_in_an_interval_and_oftener_where_it_is_short(
    interval_s: float, every_s: float
) -> None:
    groups = [replace(RULES, interval_s=interval_s)]
    assert Replica(None, Mock(spec=AlertSource), groups, read()).every_s == every_s


@pytest.mark.parametrize(
    ("kept", "read_by_rules"),
    [
        (Kept.SCOPE, ["latency:p95", "nulls:ratio5s", "up", "values_total"]),
        (Kept.EXPECTED, ["nulls:ratio5s", "up", "values_total"]),
        (Kept.NONE, ["latency:p95", "nulls:ratio5s", "up", "values_total"]),
    ],
)
def test_what_is_recorded_is_what_all_rules_in_scope_read_or_those_of_expected_and_prohibited_alerts(
    kept: Kept, read_by_rules: list[str]
) -> None:
    scenario = read(monitoring={"scope": {"alerts": ["Slow"]}}, must_not_fire=[{"alert": "Down"}])
    rules = [replace(one, query="latency:p95 > 1") if one.name == "Slow" else one for one in RULES.rules]
    groups = [replace(RULES, rules=tuple(rules))]
    found = Replica(None, Mock(spec=AlertSource), groups, scenario).collector(SteppedClock(), 2.0, kept)
    assert sorted({one.partition("{")[0] for one in {*found.selectors} - {*ALWAYS}}) == read_by_rules
