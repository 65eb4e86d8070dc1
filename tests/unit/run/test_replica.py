from dataclasses import replace
from unittest.mock import Mock

import pytest
from tests.unit.core.drill import RULES, read

from alertdrill.run.ports import AlertSource
from alertdrill.run.replica import Replica


@pytest.mark.parametrize(("interval_s", "every_s"), [(1.0, 0.25), (3.0, 0.75), (4.0, 2.0), (15.0, 7.5)])
def test_rules_are_looked_at_twice_in_an_interval_and_oftener_where_it_is_short(
    interval_s: float, every_s: float
) -> None:
    groups = [replace(RULES, interval_s=interval_s)]
    assert Replica(None, Mock(spec=AlertSource), groups, read()).every_s == every_s
