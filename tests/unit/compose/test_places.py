from pathlib import Path

import pytest

from alertdrill.compose.places import expectation_places

SCENARIO = """\
version: 1
name: s
seed: 1
target: {bundled: fraud}
load: {rate: 10/s}
phases:
  - name: nulls
    duration: 20s
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect:
      - {alert: A, within: 5s}
      - alert: B
        within: 5s
      - {alert: A, labels: {x: y}, within: 5s}
"""


def test_expectations_are_found_by_their_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.yaml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    found = expectation_places(tmp_path / "s.yaml")
    assert found == {"nulls/A/1": ("s.yaml", 11), "nulls/B": ("s.yaml", 12), "nulls/A/2": ("s.yaml", 14)}


def test_a_scenario_that_is_no_more_has_no_places(tmp_path: Path) -> None:
    assert expectation_places(tmp_path / "gone.yaml") == {}
