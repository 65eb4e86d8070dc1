from itertools import groupby

import pytest
from drill import BASELINE, expect, nulls_phase, read
from planned import planned

from alertdrill.core.scenario import Scenario
from alertdrill.report.plan_timeline import timeline

NULLS = {"kind": "nulls", "features": ["amount"], "share": "50%"}


def picture(scenario: Scenario, width: int = 80) -> dict[str, str]:
    """Label to cells; several rows of one label are joined by a blank."""
    lines = timeline(planned(scenario).outlook((), ()), width)
    label = len(lines[0]) - len(lines[0].lstrip())
    rows: dict[str, str] = {}
    for line in lines:
        rows[line[:label].strip()] = line[label:]
    return rows


def bars(profile: dict[str, object], **changes: object) -> str:
    phase = nulls_phase(faults=[NULLS | {"profile": profile}], expect=[], **changes)
    return picture(read(BASELINE, phase))["nulls 50%"].strip()


@pytest.mark.parametrize("width", [40, 80, 100])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    alert = "AnAlertWithAVeryLongNameThatNobodyWouldType"
    phase = nulls_phase(expect=[expect(alert), expect(within="28s")])
    lines = timeline(planned(read(BASELINE, phase)).outlook((), ()), width)
    assert max(map(len, lines)) <= width
    assert any("…" in line for line in lines)


def test_every_stretch_fault_and_alert_has_a_row_on_the_same_axis() -> None:
    rows = picture(read(BASELINE, nulls_phase()))
    assert [*rows] == ["", "steady state", "baseline", "nulls", "nulls 50%", "NullsHigh", "settle"]
    assert rows[""].lstrip().startswith("0s")
    assert set(rows["steady state"].strip()) == {"┄"}
    assert rows["nulls"].strip() == "┄" * rows["nulls"].count("┄") + "━" * rows["nulls"].count("━")
    assert rows["nulls"].index("━") == rows["nulls 50%"].index("█")
    assert rows["nulls"].count("━") == pytest.approx(2 * rows["baseline"].count("━"), abs=1)


def test_the_axis_has_its_ticks_where_they_belong() -> None:
    rows = picture(read({"name": "baseline", "duration": "5m"}, nulls_phase()))
    assert rows[""].split() == ["0s", "1m", "2m", "3m", "4m", "5m"]
    columns, total_s = max(map(len, rows.values())), 9 + 300 + 9 + 20 + 9
    assert rows[""].index("5m") == pytest.approx(300 / total_s * columns, abs=1)
    assert rows["nulls"].index("┄") == pytest.approx(309 / total_s * columns, abs=1)


def test_a_fault_without_a_profile_is_at_full_strength_all_along() -> None:
    assert set(picture(read(BASELINE, nulls_phase()))["nulls 50%"].strip()) == {"█"}


def test_a_ramp_rises() -> None:
    ramp = bars({"kind": "ramp", "over": "20s"})
    assert [*ramp] == sorted(ramp)
    assert (ramp[0], ramp[-1]) == ("▁", "█")


def test_pulses_come_again() -> None:
    recurring = bars({"kind": "recurring", "period": "10s", "duty": 0.5})
    assert [mark for mark, _ in groupby(recurring)] == ["█", "·", "█", "·"]


def test_a_wave_rises_and_falls() -> None:
    wave = bars({"kind": "sine", "period": "20s"})
    top = wave.index("█")
    assert [*wave[:top]] == sorted(wave[:top])
    assert [*wave[top:]] == sorted(wave[top:], reverse=True)


def test_a_fault_that_touches_nothing_has_no_bar() -> None:
    control = nulls_phase(faults=[NULLS | {"share": 0}])
    assert set(picture(read(BASELINE, control))["nulls 0%"].strip()) == {"·"}


def test_an_alert_has_a_span_from_floor_to_worst_and_a_deadline() -> None:
    cells = picture(read(BASELINE, nulls_phase()))["NullsHigh"]
    assert cells.strip() == "═" * cells.count("═") + "─" * cells.count("─") + "│"
    assert 2 <= cells.count("═") <= 4


def test_a_deadline_inside_the_span_is_seen() -> None:
    assert "╪" in picture(read(BASELINE, nulls_phase(expect=[expect(within="3s")])))["NullsHigh"]


def test_what_nobody_can_tell_is_a_question() -> None:
    cells = picture(read(BASELINE, nulls_phase(expect=[expect("Odd")])))["Odd"].strip()
    assert (cells[0], cells[-1]) == ("?", "│")
    assert "═" not in cells


def test_the_load_is_drawn_where_it_differs() -> None:
    scenario = read(BASELINE, nulls_phase(load={"factor": 3}))
    cells = picture(scenario)["load, up to 60/s"]
    phase = picture(scenario)["nulls"]
    assert {cells[column] for column, mark in enumerate(phase) if mark == "━"} == {"█"}
    assert {cells[column] for column, mark in enumerate(phase) if mark == "┄"} == {"▃"}
    assert all(not label.startswith("load") for label in picture(read(BASELINE, nulls_phase())))


def test_a_loss_of_traffic_is_a_gap_in_the_load() -> None:
    lost = {"kind": "traffic_loss", "share": 1, "profile": {"kind": "pulse", "at": "5s", "lasts": "10s"}}
    cells = picture(read(BASELINE, nulls_phase(faults=[lost], expect=[])))["load, up to 20/s"]
    gap = cells.strip("█")
    assert set(gap.strip("▁▂▃▄▅▆▇")) == {"·"}
