import pytest

from alertdrill.core.errors import BadInput
from alertdrill.core.replay.settings import MOST_POINTS, Name, parse_settings, points


def values(text: str) -> list[str]:
    (one,) = parse_settings([text])
    return [one.text(value) for value in one.values]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("for=2m", ["2m"]),
        ("for=0s,1s,1500ms", ["0s", "1s", "1s500ms"]),
        ("keep_firing_for=0s..10s/6", ["0s", "2s", "4s", "6s", "8s", "10s"]),
        ("threshold=5%,0.1", ["0.05", "0.1"]),
        ("threshold=-1..1/3", ["-1", "0", "1"]),
        ("threshold=0.1..0.7/4", ["0.1", "0.3", "0.5", "0.7"]),
        ("window=1s..100s/3", ["1s", "10s", "1m40s"]),
    ],
)
def test_values_are_one_a_list_or_a_range(text: str, found: list[str]) -> None:
    assert values(text) == found


def test_a_range_whose_ends_differ_tenfold_has_equal_ratios_rounded_to_three_digits() -> None:
    assert values("threshold=0.01..0.2/8") == ["0.01", "0.0153", "0.0235", "0.0361", "0.0554", "0.085", "0.13", "0.2"]
    assert values("threshold=0.01..0.09/3") == ["0.01", "0.05", "0.09"]


def test_a_setting_can_be_that_of_one_alert() -> None:
    (one,) = parse_settings(["Job.Down.for=1s"])
    assert (one.name, one.alert, one.key, one.values) == (Name.FOR, "Job.Down", "Job.Down.for", (1.0,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("for=2", "write 2s for seconds"),
        ("fro=2s", "write for"),
        ("A.scrape_interval=1s", "targets are scraped once for all alerts"),
        ("window=0s", "a window above 0"),
        (".for=1s", "no alert before the dot"),
        ("for=1s,1s", "a value twice"),
        ("for=1s,", "expected a duration"),
        ("for=1.0001s", "whole milliseconds"),
        ("for=999999999999999h", "at most 100 years"),
        ("threshold=3m", "without a unit"),
        ("threshold=1e999", "a number such as"),
        ("threshold=nan", "a number such as"),
        ("for", "no value"),
        ("threshold=1..2", "write 1..2/5"),
        ("threshold=2..1/3", "the first below the last"),
        ("threshold=1..2/65", "2 to 64 values"),
    ],
)
def test_what_has_no_meaning_is_bad_input(text: str, said: str) -> None:
    with pytest.raises(BadInput, match="--set") as refused:
        parse_settings([text])
    assert said in str(refused.value)
    assert "fix: " in str(refused.value)


def test_all_mistakes_are_said_at_once_and_a_setting_counts_once() -> None:
    with pytest.raises(BadInput) as refused:
        parse_settings(["for=2", "for=1s", "for=2s", "no=1", "A.for=1s"])
    assert [one.where for one in refused.value.mistakes] == ["--set for=2", "--set for=2s", "--set no=1"]


def test_combinations_are_all_of_them_and_no_more_than_allowed() -> None:
    found = [[one.text for one in each] for each in points(parse_settings(["for=1s,2s", "window=3s,4s"]))]
    assert found == [["for=1s", "window=3s"], ["for=1s", "window=4s"], ["for=2s", "window=3s"], ["for=2s", "window=4s"]]
    parse_settings(["for=1s..8s/8", "threshold=1..8/8"])
    with pytest.raises(BadInput, match=rf"72 combinations, expected at most {MOST_POINTS}"):
        parse_settings(["for=1s..8s/8", "threshold=1..9/9"])
