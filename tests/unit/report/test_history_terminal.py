import io
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from tests.unit.report.pasts import COMPARED, DAYS_30, ONSET, PAST

from alertdrill.core.history.result import HistoryResult
from alertdrill.report.history_terminal import show_history

BERLIN = ZoneInfo("Europe/Berlin")


def shown(found: HistoryResult) -> list[str]:
    text = io.StringIO()
    show_history(Console(file=text, width=200), found, BERLIN)
    return text.getvalue().splitlines()


def test_each_alert_is_a_paragraph_of_80_columns() -> None:
    assert shown(PAST) == [
        "http://prometheus:9090 from 2026-11-20 03:00:00 to 05:30:00 Europe/Berlin",
        "onset 2026-11-20 03:10:00 Europe/Berlin (2026-11-20 02:10:00 UTC), as stated",
        "NullsHigh  fired 03:51:00, 41 min after the stated onset; 0 false alarms in 30 d",
        "  (at most 3.0 in 30 d, 95%)",
        "Silent  did not fire: never pending in 2h20m after the onset; 0 false alarms in",
        "  30 d (at most 3.0 in 30 d, 95%)",
        "Watchdog  did not detect it: already_firing: firing at the onset; 0 false alarms",
        "  in 30 d (at most 3.0 in 30 d, 95%)",
        "  before the onset: 2026-11-20 03:05:00 on",
        "  decide it by: wait",
        "read 715,405 samples: 36 questions, 0 of 35 chunks kept from before; false",
        "  alarms are uncertain by one interval (1 min)",
        "INCONCLUSIVE: 1 fired, 1 did not, 1 undecided",
    ]


def test_a_comparison_says_what_is_lost_and_by_what() -> None:
    assert shown(COMPARED)[-6:] == [
        "beside base.yml",
        "  lost NullsHigh: detected after 2460.000 s → missed",
        "    rules.yml:3 0.05→0.5",
        "read 715,405 samples: 36 questions, 0 of 35 chunks kept from before; false",
        "  alarms are uncertain by one interval (1 min)",
        "FAILED: 1 lost",
    ]


@pytest.mark.parametrize(
    ("alarms", "said"),
    [
        (
            {"count": 1, "judged_s": DAYS_30 / 2, "at_most_per_30_d": 9.4877},
            "1 false alarm in 15 d judged of 30 d (at most",
        ),
        ({"judged_s": 0.0, "at_most_per_30_d": None}, "false alarms: cannot tell of any of the 30 d"),
    ],
)
def test_how_much_was_judged_is_said(alarms: dict[str, float | None], said: str) -> None:
    first = PAST.alerts[0]
    assert first.false_alarms is not None
    changed = first.model_copy(update={"false_alarms": first.false_alarms.model_copy(update=alarms), "error_s": 60.0})
    text = " ".join(line.strip() for line in shown(PAST.model_copy(update={"alerts": (changed,)})))
    assert f"after the stated onset (±1 min); {said}" in text


def test_what_the_prometheus_does_not_hold_is_said() -> None:
    past = PAST.past.model_copy(update={"held_from": ONSET - 86_400, "outages_s": 5400.0})
    reading = PAST.reading.model_copy(update={"markers": "inferred"})
    text = " ".join(line.strip() for line in shown(PAST.model_copy(update={"past": past, "reading": reading})))
    assert "staleness markers inferred from up; this Prometheus holds samples from 2026-11-19 02:10:00 UTC on" in text
    assert "it scraped nothing for 1 h 30 min" in text
