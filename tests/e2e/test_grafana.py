"""Recorded contract: alerts that Grafana manages, with a real Prometheus that holds GRAFANA_ALERTS and a stand-in.

Grafana itself cannot be run here; `tests/integration/grafana_server.py` answers as its documentation says.
"""

import gzip

import pytest

from tests.e2e.drills import Drill
from tests.integration.grafana_server import TOKEN

pytestmark = [pytest.mark.drill("managed_by_grafana"), pytest.mark.long]


def test_recorded_contract_alerts_of_grafana_are_detected_missed_or_left_open(drill: Drill) -> None:
    found = {one["alert"]: (one["verdict"], (one["reason"] or {}).get("code")) for one in drill.result["expectations"]}
    assert found == {
        "Nulls High": ("detected", None),
        "Nulls Blind": ("inconclusive", "rule_no_data"),
        "Nulls Unreachable": ("missed", "never_pending"),
    }, drill.output


def test_recorded_contract_an_instant_of_grafana_may_be_off_by_its_base_interval(drill: Drill) -> None:
    one = drill.result["expectations"][0]
    assert one["ttd_error_s"] == pytest.approx(10.0, abs=0.1)
    assert [hop["hop"] for hop in one["waterfall"]] == ["served", "pending", "firing"]


def test_recorded_contract_the_token_of_grafana_is_nowhere_in_what_a_drill_leaves(drill: Drill) -> None:
    for path in (one for one in drill.folder.rglob("*") if one.is_file()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert TOKEN.encode() not in data, path
    assert TOKEN not in drill.output
