from pathlib import Path

import pytest

from alertdrill.adapters.rule_file import read_rule_files
from alertdrill.core.errors import BadInput

RULES = """\
groups:
  - name: fast
    interval: 500ms
    rules:
      - {record: "job:x:rate", expr: "rate(x[5s])"}
      - {alert: High, expr: "job:x:rate > 1", for: 1m30s, labels: {severity: P1}}
  - name: usual
    rules: [{alert: Always, expr: vector(1)}]
"""


def test_groups_keep_their_own_interval_or_take_the_global_one(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(RULES)
    fast, usual = read_rule_files([file], 2.0)
    assert (fast.interval_s, usual.interval_s) == (0.5, 2.0)
    recorded, alert = fast.rules
    assert (recorded.type, recorded.name) == ("recording", "job:x:rate")
    assert (alert.type, alert.for_s, dict(alert.labels)) == ("alerting", 90.0, {"severity": "P1"})


@pytest.mark.parametrize("text", ["groups: 5\n", "a: [\n", "[]\n", "groups: [{rules: [{expr: x}], name: a}]\n"])
def test_a_file_that_holds_no_rules_is_bad_input(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(text)
    with pytest.raises(BadInput):
        read_rule_files([file], 1.0)


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_rule_files([tmp_path / "none.yml"], 1.0)
