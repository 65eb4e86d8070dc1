"""Our own monitoring sabotaged in every way we know: each drill must end as listed here, and none may pass.

Eight of these are in `make test` too (tests/e2e/test_negative_controls.py). What is broken is in sabotages.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import recipes
from tests.e2e.drills import Drill, run
from tests.gauntlet import sabotages as broken

FAILED, REFUSED, UNDECIDED = 1, 2, 3
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Ends:
    """How the drill of a sabotage must end.

    Attributes:
        sabotage: what is broken.
        expectation: whose alert tells; of the phase `nulls` unless it says otherwise.
        verdict: its headline.
        code: the code of its reason.
        says: what its reason, and what would change it, must say.
    """

    sabotage: str
    expectation: str
    verdict: str
    code: str
    says: str


FAILS: Mapping[str, tuple[Ends, ...]] = {
    "FAILING": (
        Ends("rule deleted", "RuleDeleted", "missed", "rule_not_loaded", "the engine has no alert RuleDeleted"),
        Ends("threshold out of reach", "ThresholdTooHigh", "missed", "never_pending", "needs > 0.9"),
        Ends("metric renamed in the monitor", "MetricRenamed", "missed", "never_pending", "another name for it"),
        Ends("wrong label in the expression", "WrongLabel", "missed", "never_pending", "did you mean amount?"),
        Ends("scrape job removed", "JobRemoved", "missed", "never_pending", 'no target with job="removed" is scraped'),
        Ends("scrape port wrong", "PortWrong", "missed", "never_pending", "job wrong_port at 127.0.0.1:9 was never up"),
        Ends("recording rule missing", "RecordingMissing", "missed", "never_pending", "did you mean nulls_monitor:rat"),
        Ends("severity changed", "SeverityChanged", "wrong_labels", "labels_differ", "got 'P3', expected 'P1'"),
        Ends("alert fires for another feature", "OtherFeature", "wrong_labels", "labels_differ", "got 'amount_24h'"),
        Ends("flapping", "Flapping", "flapped", "resolved_early", "before the fault ended"),
        Ends("alert fires only after the tail", "AfterTheTail", "missed", "never_pending", "later than the fault can"),
        Ends("monitor frozen: stale metrics", "MonitorFrozen", "missed", "never_pending", "serves an old page"),
    ),
    "EVERY_MINUTE": (
        Ends("evaluation interval 1 m", "EveryMinute", "missed", "never_pending", "not evaluated once from the fault"),
    ),
    "FOR_TOO_LONG": (Ends("for: 30s", "ForTooLong", "missed", "never_firing", "needs 30 s"),),
    "routed": (
        Ends("Alertmanager route dropped", "FeatureNullRateHigh/3", "not_notified", "wrong_receiver", "not to nobody"),
    ),
    "held_back": (
        Ends("foreign silence", "Silenced", "not_notified", "suppressed", "of alice"),
        Ends("inhibition", "Inhibited", "not_notified", "suppressed", "the alert FeatureNullRateHigh{"),
    ),
}

LEAVES_OPEN: Mapping[str, tuple[Ends, ...]] = {
    "UNCERTAIN": (
        Ends("alert already firing", "AlreadyFiring", "inconclusive", "already_firing", "active before the drill"),
        Ends("network cut to the monitor", "NetworkCut", "inconclusive", "scrape_gap", "job cut at"),
        Ends("rule evaluation error", "EvaluationFails", "inconclusive", "rule_error", "duplicate series"),
    ),
    "RELOADED": (
        Ends("rule file broken at reload", "Sound", "inconclusive", "reload_failed", "promtool check config"),
    ),
    "prometheus_killed": (
        Ends("Prometheus killed", "FeatureNullRateHigh", "inconclusive", "query_failed", "Prometheus died"),
    ),
    "RESTARTED": (Ends("restarted", "Sound", "inconclusive", "engine_restarted", "was restarted"),),
    "RESTORED": (Ends("restarted, `for` restored", "Sound", "inconclusive", "engine_restarted", "was restarted"),),
    "ANSWERS_500": (Ends("answering 500", "Sound", "inconclusive", "query_failed", "it answers 500"),),
    "ANSWERS_401": (Ends("answering 401", "Sound", "inconclusive", "query_failed", "it answers 401"),),
    "ANSWERS_NOTHING": (Ends("answering empty", "Sound", "inconclusive", "series_not_recorded", "no scrape of any"),),
    "ANSWERS_GARBAGE": (Ends("answering garbage", "Sound", "inconclusive", "query_failed", "not Prometheus's JSON"),),
    "ANSWERS_SLOWLY": (Ends("answering slowly", "Sound", "inconclusive", "clock_doubt", "answers slowly"),),
    "CLOCK_SET_FORWARD": (Ends("clock set 10 s forward", "Sound", "inconclusive", "clock_doubt", "the clocks moved"),),
    "LOAD_KILLED": (
        Ends(
            "load generator killed", "Sound", "inconclusive", "load_under_rate", "load was ended by a signal, SIGKILL"
        ),
    ),
    "bypassed": (
        Ends("injector bypassed", "slow/PredictionLatencyHigh", "inconclusive", "fault_not_delivered", "0 of"),
    ),
    "MONITOR_STOPPED": (Ends("monitor stopped", "Sound", "inconclusive", "scrape_gap", "have a gap"),),
    "SHORT_RETENTION": (
        Ends("samples older than retention", "Sound", "inconclusive", "series_not_recorded", "kept for long enough"),
    ),
}


def recipe(name: str) -> Callable[[Path], Drill]:
    if name in recipes.RECIPES:
        return recipes.RECIPES[name]
    return partial(_drilled, getattr(broken, name))


def _drilled(what: broken.Broken, directory: Path) -> Drill:
    return broken.drilled(directory, what)


def of(drill: Drill, one: Ends) -> Any:
    ids = one.expectation, f"nulls/{one.expectation}"
    return next(found for found in drill.result["expectations"] if found["id"] in ids)


def run_it(name: str, directory: Path) -> Drill:
    """The drill; once more if it says of itself that this machine was too busy for it to tell."""
    for attempt in ("first", "again"):
        (directory / attempt).mkdir()
        drill = recipe(name)(directory / attempt)
        if name in TOO_BUSY_IS_THE_ANSWER or not drill.hampered:
            break
    return drill


TOO_BUSY_IS_THE_ANSWER = ("LOAD_KILLED", "MONITOR_STOPPED")


def check(drill: Drill, ends: tuple[Ends, ...]) -> None:
    """Every line at once: what each sabotage led to, beside what it must lead to."""
    assert "Traceback" not in drill.output
    found, wanted = {}, {}
    for one in ends:
        got = of(drill, one)
        said = f"{got['reason']['text']} | {got['reason']['decide_it_by']}" if got["reason"] else ""
        found[one.sabotage] = got["verdict"], (got["reason"] or {}).get("code"), one.says if one.says in said else said
        wanted[one.sabotage] = one.verdict, one.code, one.says
    assert found == wanted


@pytest.mark.parametrize("name", FAILS)
def test_what_silences_an_alert_or_whom_it_reaches_fails_the_drill(name: str, tmp_path: Path) -> None:
    drill = run_it(name, tmp_path)
    check(drill, FAILS[name])
    assert (drill.result["verdict"], drill.exit_code) == ("failed", FAILED)


def test_a_rule_that_must_hold_for_an_hour_is_refused_before_any_traffic(tmp_path: Path) -> None:
    drill = recipe("FOR_AN_HOUR")(tmp_path)
    assert drill.exit_code == REFUSED
    assert "(ForAnHour: window 5s, for 1h, evaluated every 1s)" in drill.output


def test_rules_that_are_evaluated_every_five_minutes_are_refused_before_any_traffic(tmp_path: Path) -> None:
    drill = run(tmp_path, recipes.of_nulls(tmp_path, monitoring="evaluation_interval: 5m")).ended()
    assert drill.exit_code == REFUSED
    assert "(FeatureNullRateHigh: window 5s, for 2s, evaluated every 5m)" in drill.output


def test_a_clock_that_is_ahead_all_along_is_measured_and_no_instant_is_off(tmp_path: Path) -> None:
    drill = run_it("CLOCK_AHEAD", tmp_path)
    one = drill.expectation("nulls")
    assert (one["verdict"], drill.exit_code) == ("detected", 0)
    assert 2 < one["ttd_s"] < 8
    assert drill.result["clock"]["offset_s"] == pytest.approx(broken.AHEAD_S, abs=0.1)


@pytest.mark.parametrize("name", LEAVES_OPEN)
def test_what_takes_the_evidence_away_leaves_it_open(name: str, tmp_path: Path) -> None:
    drill = run_it(name, tmp_path)
    check(drill, LEAVES_OPEN[name])
    assert (drill.result["verdict"], drill.exit_code) == ("inconclusive", UNDECIDED)
