from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from alertdrill.adapters.zones import NamedZone, zone_named
from alertdrill.core.errors import BadInput
from alertdrill.core.history.times import Incident, incident


def unix(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


NOW = unix("2026-11-20T10:00")
BERLIN = "Europe/Berlin"


def read(span: str, onset: str, history: str = "30d", zone: str = "UTC", now: float = NOW) -> Incident:
    return incident(span, onset, history, NamedZone(zone), now)


@pytest.mark.parametrize(
    ("span", "onset", "begin", "end", "begun"),
    [
        ("03:00..05:30", "03:10", "2026-11-20T03:00", "2026-11-20T05:30", "2026-11-20T03:10"),
        ("23:00..01:00", "23:10", "2026-11-19T23:00", "2026-11-20T01:00", "2026-11-19T23:10"),
        ("11:00..12:00", "11:10:05", "2026-11-19T11:00", "2026-11-19T12:00", "2026-11-19T11:10:05"),
        ("2026-11-17T23:00..01:00", "23:30", "2026-11-17T23:00", "2026-11-18T01:00", "2026-11-17T23:30"),
        ("22:00..2026-11-18T01:00:00Z", "23:30", "2026-11-17T22:00", "2026-11-18T01:00", "2026-11-17T23:30"),
        (
            "2026-11-17 03:00..2026-11-17T05:00+01:00",
            "03:10",
            "2026-11-17T03:00",
            "2026-11-17T04:00",
            "2026-11-17T03:10",
        ),
        ("09:30..10:00", "09:30", "2026-11-20T09:30", "2026-11-20T10:00", "2026-11-20T09:30"),
    ],
)
def test_a_time_without_a_date_is_the_latest_such_time(span: str, onset: str, begin: str, end: str, begun: str) -> None:
    found = read(span, onset)
    assert [found.from_s, found.to_s, found.onset_s] == [unix(begin), unix(end), unix(begun)]


def test_times_are_those_of_the_zone_and_what_states_one_is_not() -> None:
    found = read("03:00..05:30", "2026-11-20T03:10:00.250Z", zone=BERLIN)
    assert (found.from_s, found.onset_s) == (unix("2026-11-20T02:00"), unix("2026-11-20T03:10") + 0.25)


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2_592_000), ("0", 0), ("2w", 1_209_600), ("1.5h", 5400)])
def test_history_is_a_length_with_its_unit(text: str, seconds: float) -> None:
    assert read("03:00..05:30", "03:10", text).history_s == seconds


@pytest.mark.parametrize(
    ("span", "onset", "says"),
    [
        ("03:00..03:00", "03:10", r"--range\n  got 03:00\.\.03:00, which is empty"),
        ("2026-11-20T05:00..2026-11-20T03:00", "03:10", "which is reversed"),
        ("09:00..2026-11-20T12:00", "09:10", "which lies ahead"),
        ("2026-11-01T05:00..2026-11-20T03:00", "03:10", "more than a week"),
        ("9999-12-31T23:00..01:00", "23:10", "which lies ahead"),
        ("03:00", "03:10", r"expected BEGIN\.\.END"),
        ("03:00..", "03:10", r"expected BEGIN\.\.END"),
        ("25:00..26:00", "03:10", r"got 26:00, expected a time of day \(hour must be in 0\.\.23\)"),
        ("yesterday..today", "03:10", "got yesterday, expected HH:MM"),
        ("2026-13-01T00:00..05:00", "03:10", "month must be in"),
        ("03:00..05:30", "06:00", r"--onset\n  got 2026-11-19T06:00:00\+00:00, expected an instant from"),
        ("03:00..05:30", "", "got nothing, expected HH:MM"),
        ("0001-01-01T00:00..05:00", "03:10", "expected a time since 2000"),
    ],
)
def test_what_is_no_range_or_outside_it_is_refused(span: str, onset: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(span, onset)


@pytest.mark.parametrize("history", ["30", "-1d", "d", "9999d", "1 month"])
def test_what_is_no_length_is_refused(history: str) -> None:
    with pytest.raises(BadInput, match=r"--history\n  got .*, expected a time up to a year with its unit"):
        read("03:00..05:30", "03:10", history)


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        read("03:00..05:30", "soon", "long")
    assert [one.where for one in refused.value.mistakes] == ["--onset", "--history"]


@pytest.mark.parametrize(
    ("now", "onset", "how", "fix"),
    [
        ("2026-10-25T06:00", "02:30", "occurs twice", r"2026-10-25T02:30:00\+02:00 or 2026-10-25T02:30:00\+01:00"),
        ("2026-03-29T06:00", "02:30", "does not exist", r"2026-03-29T01:30:00\+01:00 or 2026-03-29T03:30:00\+02:00"),
    ],
)
def test_a_time_that_a_change_of_clocks_doubles_or_leaves_out_is_refused(
    now: str, onset: str, how: str, fix: str
) -> None:
    with pytest.raises(BadInput, match=f"{how} in Europe/Berlin.*\n  fix: write {fix}"):
        read("01:00..04:00", onset, zone=BERLIN, now=unix(now))


def test_an_unknown_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="fix: write Europe/Berlin"):
        zone_named("Europe/Berlim")
    with pytest.raises(BadInput, match="--tz"):
        zone_named("/etc/passwd")


def test_the_zone_of_this_machine_shows_what_its_clock_shows() -> None:
    here = zone_named(None)
    shown = here.local(NOW)
    assert here.unix(shown.replace(tzinfo=None)) == NOW
    assert shown.astimezone(UTC) == datetime.fromtimestamp(NOW, UTC)
