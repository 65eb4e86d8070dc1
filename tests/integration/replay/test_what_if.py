"""`alertdrill replay --set` over the recording of a drill that lives in the repository."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from alertdrill.cli import replay as command
from alertdrill.core.errors import BadInput

ROOT = Path(__file__).parents[3]
RECORDING = ROOT / "recordings" / "seed-disaster"
RULES = ROOT / "targets" / "fraud" / "rules" / "alerts.drill.yml"
NULLS, ALERT = "nulls/FeatureNullRateHigh", "FeatureNullRateHigh"
EVALUATED_EVERY_S = 1.0


def what_if(folder: Path, *settings: str, rules: Path | None = None, plot: Path | None = None) -> dict[str, Any]:
    """The JSON, with what was printed under `printed` and the exit code under `code`.

    Raises:
        BadInput: the command would exit with 2.
    """
    file, shown = folder / "replay.json", io.StringIO()
    given = [] if rules is None else [rules]
    code = command.replay(
        Console(file=shown, width=200),
        [RECORDING],
        given,
        None,
        "lost,false-alarm",
        file,
        True,
        settings=settings,
        plot=plot,
    )
    return {**json.loads(file.read_text()), "printed": shown.getvalue(), "code": code}


def rows(found: dict[str, Any], name: str = NULLS) -> dict[str, tuple[str, float | None]]:
    """By the text of the values: the outcome and the time to detect."""
    return {
        ",".join(value["text"] for value in point["values"]): (one["outcome"], one["ttd_s"])
        for point in found["sweep"]["points"]
        for one in point["recordings"][0]["expectations"]
        if one["id"] == name
    }


def false_alarms(found: dict[str, Any]) -> list[int]:
    return [len(point["recordings"][0]["false_alarms"]) for point in found["sweep"]["points"]]


def test_a_longer_for_delays_an_alert_by_exactly_that_much(tmp_path: Path) -> None:
    found = what_if(tmp_path, f"{ALERT}.for=0s,5s,20s")
    told = rows(found)
    assert list(told) == ["0s", "2s", "5s", "20s"]
    written = told["2s"][1]
    assert written is not None
    assert {text: ttd_s if ttd_s is None else round(ttd_s - written, 3) for text, (_, ttd_s) in told.items()} == {
        "0s": -2.0,
        "2s": 0.0,
        "5s": 3.0,
        "20s": None,
    }
    assert [one["as_written"] for one in found["sweep"]["points"]] == [False, True, False, False]
    assert told["20s"][0] == "lost"
    assert found["code"] == 0, "what was asked is told; the rules as they are written lost nothing"
    assert found["counts"]["kept"] == 4


def test_a_sweep_of_a_threshold_goes_from_false_alarms_to_silence(tmp_path: Path) -> None:
    page = tmp_path / "plot.html"
    found = what_if(tmp_path, f"{ALERT}.threshold=0.01,0.2,0.3", rules=RULES, plot=page)
    told = list(rows(found).values())
    delays = [ttd_s for _, ttd_s in told if ttd_s is not None]
    assert delays == sorted(delays)
    assert delays[0] < delays[-1]
    assert [outcome for outcome, _ in told] == ["kept", "kept", "slower", "lost"], "0.3 is beyond the peak of 0.23"
    assert false_alarms(found) == sorted(false_alarms(found), reverse=True)
    assert false_alarms(found)[0] > 0
    assert "as written" in found["printed"]
    assert page.read_text().startswith("<!doctype html>")
    assert "<svg" in page.read_text()


def test_one_value_is_a_change_like_any_other_with_its_line(tmp_path: Path) -> None:
    found = what_if(tmp_path, f"{ALERT}.threshold=50%", f"{ALERT}.window=4s")
    (one,) = found["recordings"]
    changes = {change["id"]: change for change in one["changes"]}
    text = RULES.read_text().splitlines()
    line = next(n for n, each in enumerate(text, 1) if "ratio_rate5s > 0.05" in each)
    assert changes[NULLS]["outcome"] == "lost"
    assert any(cause.endswith(f"alerts.drill.yml:{line} 0.05→0.5") for cause in changes[NULLS]["causes"])
    assert any("5s→4s" in cause for cause in changes[NULLS]["causes"])
    assert [change["outcome"] for name, change in changes.items() if name != NULLS] == ["kept"] * 3
    assert (found["code"], found["rules"], found["sweep"]) == (1, [], None)
    assert found["settings"] == [f"{ALERT}.threshold=0.5", f"{ALERT}.window=4s"]


def test_fewer_evaluations_and_scrapes_are_slower_and_windows_that_see_nothing_are_named(tmp_path: Path) -> None:
    found = what_if(tmp_path, "scrape_interval=1s,5s", "evaluation_interval=1s,2s")
    told = rows(found, "drift/FeatureDrift")
    assert set(told) == {f"{scrape},{evaluation}" for scrape in ("1s", "5s") for evaluation in ("1s", "2s")}
    assert told["1s,1s"][0] == "kept"
    assert [one["as_written"] for one in found["sweep"]["points"]] == [True, False, False, False]
    assert told["1s,1s"][1] < told["5s,1s"][1]
    assert told["5s,1s"][1] - told["1s,1s"][1] <= 5.0 + EVALUATED_EVERY_S
    assert rows(found)["5s,1s"] == ("lost", None)
    last = found["sweep"]["points"][-1]["recordings"][0]["notes"]
    assert any("windows hold fewer scrapes than these need" in one and f"{ALERT} [5s]" in one for one in last)
    alone = what_if(tmp_path, "scrape_interval=5s")
    (reason,) = [one["reason"] for one in alone["recordings"][0]["changes"] if one["id"] == NULLS]
    assert "rate over [5s] of model_feature_values_total sees two scrapes seldom or never" in reason["text"]
    assert "a window of 10s" in reason["decide_it_by"]
    assert all(one["floor_s"] is None for one in alone["recordings"][0]["result"]["expectations"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "give --rules FILE, or --set NAME=VALUE"),
        (["threshold=0.3"], "2 comparisons in PredictionLatencyHigh"),
        (["FeatureNulRateHigh.for=1s"], "write FeatureNullRateHigh.for"),
        (["scrape_interval=1500ms"], "a multiple of how often each target was scraped"),
        (["for=1"], "write 1s for seconds"),
    ],
)
def test_settings_without_meaning_are_bad_input(tmp_path: Path, settings: list[str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        what_if(tmp_path, *settings)
    assert said in str(refused.value)


def test_a_plot_needs_several_values_and_a_name_that_says_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        what_if(tmp_path, "for=1s", plot=tmp_path / "plot.png")
    assert [one.where for one in refused.value.mistakes] == ["--plot", "--plot"]
