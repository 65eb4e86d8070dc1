"""A sweep as a table, as checks, as a picture and as a page."""

import io
import re
from xml.etree import ElementTree

from rich.console import Console
from tests.unit.report.swept import DRIFT, NULLS, THREE, expectation, point, sweep

from alertdrill.core.replay.sweep import Sweep
from alertdrill.report.checks import Outcome
from alertdrill.report.plot_axes import Across, Up
from alertdrill.report.sweep_checks import of_sweep
from alertdrill.report.sweep_plot import drawing, page
from alertdrill.report.sweep_terminal import show_sweep

SVG = "{http://www.w3.org/2000/svg}"


def table(found: Sweep) -> list[str]:
    file = io.StringIO()
    show_sweep(Console(file=file, width=80), found)
    return [" ".join(line.split()) for line in file.getvalue().splitlines() if line.strip()]


def test_the_table_has_a_line_a_value_a_bar_a_delay_and_marks_what_is_written() -> None:
    assert table(THREE) == [
        "results/<nulls> & more",
        "NullsHigh.threshold nulls/NullsHigh false alarms",
        "0.01 2.000 s ████████ 3",
        "0.05 4.000 s ████████████████ 0 as written",
        "0.5 missed 0 1 lost",
        "1 more expectations: the same under all of these",
    ]


def test_expectations_of_other_alerts_are_told_where_they_differ_and_nothing_is_folded_in_a_pipe() -> None:
    found = sweep(
        point(1.0, expectation(2.0), expectation(1.5, name=DRIFT)),
        point(2.0, expectation(None, "inconclusive"), expectation(9.5, "late", name=DRIFT)),
    )
    assert table(found)[1:] == [
        f"NullsHigh.threshold {NULLS} {DRIFT} false alarms",
        "1 2.000 s 1.500 s 0",
        "2 inconclusive (never_pending) 9.500 s late 0 2 lost",
    ]
    many = sweep(
        *(point(one, *(expectation(one, name=f"phase/{'A' * 30}{i}") for i in range(5))) for one in (1.0, 2.0))
    )
    assert len(table(many)) == 4


def test_a_sweep_fails_no_job() -> None:
    (suite,) = of_sweep(THREE)
    assert [(one.name, one.outcome, one.seconds) for one in suite.checks] == [
        (f"{NULLS} under NullsHigh.threshold=0.01", Outcome.PASSED, 2.0),
        (f"{NULLS} under NullsHigh.threshold=0.05 (as written)", Outcome.PASSED, 4.0),
        (f"{NULLS} under NullsHigh.threshold=0.5", Outcome.SKIPPED, None),
    ]
    assert [one.text for one in suite.checks] == [
        "kept, 3 false alarms",
        "kept, 0 false alarms",
        "lost, 0 false alarms",
    ]


def test_the_picture_has_a_mark_a_value_and_a_cross_where_nothing_was_detected() -> None:
    root = ElementTree.fromstring(drawing(THREE))
    titles = [one.text for one in root.iter(f"{SVG}title")]
    assert titles[:3] == ["0.01: detected after 2.000 s", "0.05 (as written): detected after 4.000 s", "0.5: missed"]
    assert titles[3:] == ["0.01: 3 false alarms", "0.05 (as written): 0 false alarms", "0.5: 0 false alarms"]
    heights = {one[0].text: float(one.get("cy", "")) for one in root.iter(f"{SVG}circle") if len(one)}
    assert heights["0.01: detected after 2.000 s"] > heights["0.05 (as written): detected after 4.000 s"]
    assert heights["0.01: 3 false alarms"] < heights["0.5: 0 false alarms"]
    assert len(list(root.iter(f"{SVG}path"))) == 1


def test_of_two_settings_one_runs_from_left_to_right_and_the_other_makes_lines() -> None:
    found = sweep(
        *(
            point(one, expectation(one + float(other)), window=other)
            for one in (1.0, 2.0, 3.0)
            for other in ("5", "10")
        ),
        keys=("NullsHigh.for", "NullsHigh.window"),
    )
    texts = [one.text for one in ElementTree.fromstring(drawing(found)).iter(f"{SVG}text")]
    assert f"{NULLS} (NullsHigh.window=5)" in texts
    assert f"{NULLS} (NullsHigh.window=10)" in texts


def test_what_is_written_differently_by_several_rules_has_no_place_in_the_picture() -> None:
    found = sweep(point(None, expectation(3.0), as_written=True), point(1.0, expectation(2.0)), keys=("for",))
    titles = [one.text for one in ElementTree.fromstring(drawing(found)).iter(f"{SVG}title")]
    assert titles == ["1: detected after 2.000 s", "1: 0 false alarms"]
    assert "<td>as written</td>" in page(found)


def test_the_page_holds_picture_and_numbers_fetches_nothing_and_escapes_what_it_names() -> None:
    text = page(THREE)
    assert "results/&lt;nulls&gt; &amp; more" in text
    assert "<nulls>" not in text
    assert re.findall(r'(?:src|href)="', text) == []
    rows = re.findall(r"<td>(.*?)</td>", text)
    assert rows == ["0.01", "detected, 2.000 s", "3", "0.05", "detected, 4.000 s", "0", "0.5", "missed", "0"]


def test_values_that_differ_tenfold_are_placed_by_their_ratios() -> None:
    across = Across.of({1.0: "1", 10.0: "10", 100.0: "100"}, 0, 260)
    assert [round(across.at(one)) for one in (1.0, 10.0, 100.0)] == [30, 130, 230]
    even = Across.of({0.0: "0", 1.0: "1", 4.0: "4"}, 0, 260)
    assert [round(even.at(one)) for one in (0.0, 1.0, 4.0)] == [30, 80, 230]
    many = Across.of({i / 10: f"{i}" for i in range(60)}, 0, 260)
    assert [text for _, text in many.ticks()] == ["0", "16", "32", "48"]


def test_delays_have_round_ticks_and_counts_whole_ones() -> None:
    assert Up.of([4.2], 0, 90, counts=False).ticks == (0.0, 2.0, 4.0)
    assert Up.of([0.0], 0, 60, counts=True).ticks == (0.0, 1.0)
    assert Up.of([0.07], 0, 90, counts=False).ticks == (0.0, 0.05)
