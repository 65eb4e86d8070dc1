import json
from datetime import date
from pathlib import Path

import pytest
from tests.unit.core.drill import RATIO, Drill

from alertdrill.adapters.results_folder import ResultsFolder
from alertdrill.compose.coverage import read_coverage_of
from alertdrill.core.coverage_result import CoverageResult, Status
from alertdrill.core.errors import BadInput
from alertdrill.core.kept import Kept

TODAY = date(2026, 11, 23)
RULES = f"""\
groups:
  - name: drill
    rules:
      - record: nulls:ratio5s
        expr: |
          {RATIO}
      - alert: NullsHigh
        expr: nulls:ratio5s > 0.05
        for: 2s
        labels: {{severity: P1}}
"""


def keep(results: Path, drill: Drill, run: str, scenario: str = "drill") -> Path:
    """Write what a drill leaves behind."""
    folder = ResultsFolder.create(results, scenario, run)
    folder.write_plan(drill.plan)
    folder.journal.write_text("".join(one.model_dump_json() + "\n" for one in drill.journal))
    folder.write_samples(drill.recording())
    return folder.path


def read(
    *results: Path, rules: tuple[Path, ...] = (), ignore: Path | None = None, against: Path | None = None
) -> CoverageResult:
    return read_coverage_of(results, [str(one) for one in rules], (), ignore, against, TODAY)


def test_of_each_scenario_the_newest_drill_counts(tmp_path: Path) -> None:
    keep(tmp_path, Drill(), "20261101T000000-aaaaaa")
    keep(tmp_path, Drill().detect(), "20261102T000000-aaaaaa")
    found = read(tmp_path)
    assert found.drills == ("drill/run",)
    assert found.rules[0].status is Status.COVERED


def test_folders_that_are_named_all_count(tmp_path: Path) -> None:
    old = keep(tmp_path, Drill().detect(), "20261101T000000-aaaaaa")
    new = keep(tmp_path, Drill(), "20261102T000000-aaaaaa")
    assert len(read(old, new).drills) == 2


def test_rules_of_a_file_are_told_with_their_lines(tmp_path: Path) -> None:
    keep(tmp_path / "results", Drill().detect(), "1")
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    (rule,) = read(tmp_path / "results", rules=(rules,)).rules
    assert (rule.status, rule.file, rule.line) == (Status.COVERED, str(rules), 7)


def test_every_mistake_of_the_files_is_told_at_once(tmp_path: Path) -> None:
    ignore, rules, base = tmp_path / "ignore.yml", tmp_path / "rules.yml", tmp_path / "base.json"
    ignore.write_text("ignore: [{alert: Watchdog, until: soon}]")
    rules.write_text("groups: 5")
    base.write_text("{}")
    with pytest.raises(BadInput) as wrong:
        read(tmp_path / "results", rules=(rules,), ignore=ignore, against=base)
    assert [Path(one.file or "").name for one in wrong.value.mistakes] == [
        "rules.yml", "ignore.yml", "ignore.yml", "base.json", "results",
    ]  # fmt: skip


def test_a_folder_that_is_none_of_a_drill_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a folder without drills"):
        read(tmp_path)
    folder = keep(tmp_path, Drill(), "1")
    (folder / "samples.json.gz").write_bytes(b"")
    with pytest.raises(BadInput, match="samples"):
        read(tmp_path)


def test_what_the_base_branch_covered_is_compared(tmp_path: Path) -> None:
    keep(tmp_path / "results", Drill().detect(), "1")
    base = tmp_path / "base.json"
    base.write_bytes(read(tmp_path / "results").to_json())
    assert json.loads(base.read_bytes())["covered"] == 1
    keep(tmp_path / "results", Drill(), "2")
    found = read(tmp_path / "results", against=base)
    assert found.against is not None
    assert found.against.lost == ('NullsHigh{severity="P1"}',)


def kept_only(drill: Drill, kept: Kept) -> Drill:
    drill.plan = drill.plan.model_copy(update={"record": kept})
    return drill


@pytest.mark.parametrize(("kept", "status"), [(Kept.SCOPE, Status.DEAD), (Kept.EXPECTED, Status.NEVER_FIRED)])
def test_series_that_were_not_to_be_kept_are_not_said_to_have_never_existed(
    tmp_path: Path, kept: Kept, status: Status
) -> None:
    keep(tmp_path, kept_only(Drill(monitoring={"scope": {"alerts": ["Slow"]}}), kept), "1")
    assert {one.alert: one.status for one in read(tmp_path).rules}["Slow"] is status


def test_a_drill_that_was_not_recorded_is_named(tmp_path: Path) -> None:
    keep(tmp_path, kept_only(Drill(), Kept.NONE), "1")
    with pytest.raises(
        BadInput, match=r"drill/1\n  got a drill that was not recorded \(alertdrill run --record none\)"
    ):
        read(tmp_path)
