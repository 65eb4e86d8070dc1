import io

import pytest
from drill import BASELINE, expect, nulls_phase, read
from planned import planned
from rich.console import Console

from alertdrill.core.outlook import Outlook
from alertdrill.core.scenario import Scenario
from alertdrill.report.plan_terminal import show

FAULTS = [
    {"kind": "nulls", "features": ["*"], "share": "50%", "profile": {"kind": "ramp", "over": "10s"}},
    {"kind": "latency", "delay": "400ms", "share": "30%", "place": "edge"},
]
NULLS_HIGH = expect(fault="nulls")


def outlook(scenario: Scenario, background_per_s: float | None = None) -> Outlook:
    return planned(scenario, background_per_s=background_per_s).outlook((), ())


def text_of(one: Outlook, width: int = 80, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, highlight=False, markup=False)
    show(console, one)
    return console.file.getvalue()


def line(text: str, start: str) -> str:
    return next(one for one in text.splitlines() if one.startswith(start))


@pytest.mark.parametrize("background_per_s", [None, 60.0])
def test_everything_fits_eighty_columns(background_per_s: float | None) -> None:
    phase = nulls_phase("a-phase-with-a-rather-long-name", faults=FAULTS, expect=[NULLS_HIGH])
    text = text_of(outlook(read(BASELINE, phase, hypothesis="x" * 100), background_per_s))
    assert max(map(len, text.splitlines())) <= 80


def test_there_is_no_colour_in_a_pipe() -> None:
    one = outlook(read(BASELINE, nulls_phase()))
    assert "\x1b[" not in text_of(one)
    assert "\x1b[" in text_of(one, terminal=True)


def test_a_fault_says_what_it_touches_where_and_how_many() -> None:
    text = text_of(outlook(read(BASELINE, nulls_phase(faults=FAULTS, expect=[NULLS_HIGH]))))
    assert "row: amount, hour, country" in line(text, "nulls/nulls")
    assert "50%, ramp" in line(text, "nulls/nulls")
    assert line(text, "nulls/nulls").rstrip().endswith("/400")
    assert "exchange at edge" in line(text, "nulls/latency")
    assert "OF ALL" not in text


def test_the_share_of_all_is_shown_where_it_is_known() -> None:
    text = text_of(outlook(read(BASELINE, nulls_phase()), background_per_s=60.0))
    assert line(text, "FAULT").rstrip().endswith("OF ALL")
    assert line(text, "nulls/nulls").rstrip().endswith("%")
    assert "note: nulls/nulls: " in text


def test_expectations_show_their_odds() -> None:
    text = text_of(outlook(read(BASELINE, nulls_phase(expect=[expect(within="4s"), expect("Odd"), expect("None")]))))
    some, odd, absent = (line(text, f"nulls/{name}").split() for name in ("NullsHigh", "Odd", "None"))
    titles = ["FOR", "FLOOR", "EXPECTED", "WORST", "WITHIN", "ODDS", "95%"]
    assert line(text, "EXPECTED ALERT, times in s").split()[5:] == titles
    assert 50 < float(some[-2].removesuffix("%")) < 99
    assert odd[1:] == ["1", "–", "–", "–", "10", "–", "–"]
    assert absent[1:3] == ["not", "loaded"]


def test_a_baseline_alone_has_neither_faults_nor_expectations() -> None:
    text = text_of(outlook(read(BASELINE)))
    assert "FAULT" not in text
    assert "EXPECTED" not in text
    assert "touches        nothing" in text


def test_the_blast_radius_is_said_in_a_few_lines() -> None:
    text = text_of(outlook(read(BASELINE, nulls_phase())))
    _, *lines = text[text.index("BLAST RADIUS") :].splitlines()
    names = [one[2:16].strip() for one in lines if one[2:16].strip()]
    assert names == ["loads, breaks", "sends", "touches", "starts", "lasts", "lease", "never changes"]
    assert "load, Prometheus; all end with the drill" in line(text, "  starts")


def test_gates_are_said_to_last_longer() -> None:
    text = text_of(outlook(read(BASELINE, nulls_phase())))
    assert "load 20/s; ┄ gates and settling: 9 s or longer" in text


def test_one_rate_is_said_only_where_it_never_varies() -> None:
    """A sine of a whole period has the plain rate as its mean."""
    sine = {"rate": "20/s", "profile": {"kind": "sine", "period": "10s", "amplitude": "80%"}}
    plain = text_of(outlook(read(BASELINE)))
    varying = text_of(outlook(read(BASELINE, load=sine)))
    assert "load 20/s; " in plain
    assert "load 20/s; " not in varying
    assert line(varying, "load, up to ")
