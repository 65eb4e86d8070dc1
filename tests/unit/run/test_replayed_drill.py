"""What a replay makes of a drill before any engine is asked."""

from dataclasses import replace

from tests.unit.core.drill import Drill, expect, nulls_phase
from tests.unit.core.replay.worded import alert, group

from alertdrill.core.case import Case
from alertdrill.core.recording import Source
from alertdrill.core.replay.dependencies import Rules
from alertdrill.core.replay.evidence import without_notification
from alertdrill.core.replay.grid import groups_of
from alertdrill.core.result import Code
from alertdrill.run.replayed_drill import Prepared, prepare


def prepared(rules: Rules | None = None, source: Source | None = None, rescraped: bool = False) -> Prepared:
    drill = Drill(nulls_phase(expect=[expect()])).detect()
    plan, journal = without_notification(drill.plan, drill.journal)
    recording = drill.recording()
    case = Case(plan, journal, recording if source is None else replace(recording, source=source))
    return prepare(case, journal, rules or Rules(groups_of(case)), (), {}, rescraped)


def reasons(found: Prepared) -> dict[str, Code]:
    return {found.rules[place].name: reason.code for place, reason in found.reasons.items()}


def test_a_rule_that_looks_back_further_than_the_recording_reaches_is_not_evaluated() -> None:
    query = "max_over_time(up[1h]) == 0"
    begins = prepared().case.recording.from_ms - 60_000
    rules = Rules((group(alert("NullsHigh", query)),))
    assert reasons(prepared(rules, Source(since_ms=begins))) == {"NullsHigh": Code.SERIES_NOT_RECORDED}
    assert reasons(prepared(rules, Source(since_ms=None))) == {}


def test_a_group_of_a_file_that_the_engine_did_not_load_gets_an_assumed_phase() -> None:
    known, new = prepared(), prepared(Rules((group(alert("New", "up == 0"), name="other", file="/ci/new.yml"),)))
    assert {grid.source for grid in known.grids} == {"recorded"}
    assert [grid.source for grid in new.grids] == ["assumed"]


def test_a_group_that_is_evaluated_at_another_interval_gets_the_phase_that_its_file_gives() -> None:
    loaded = groups_of(prepared().case)
    slower = Rules(tuple(replace(one, interval_s=2.0) for one in loaded))
    found = prepared(slower)
    assert {grid.source for grid in found.grids} == {"predicted"}
    assert {grid.interval_ms for grid in found.grids} == {2000}


def test_in_a_thinned_recording_no_rule_does_what_it_did_live() -> None:
    assert {found.rules[place].name for found in [prepared()] for place in found.unchanged} >= {"NullsHigh"}
    assert prepared(rescraped=True).unchanged == frozenset()
    assert {grid.source for grid in prepared(rescraped=True).grids} == {"recorded"}
