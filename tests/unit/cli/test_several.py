from pathlib import Path
from typing import Any

import pytest
from drill import Drill

from alertdrill.cli import several as command
from alertdrill.cli.several import Several
from alertdrill.compose.chosen import Chosen
from alertdrill.compose.options import Options
from alertdrill.core.scenario import Monitoring, Scenario, UrlTarget
from alertdrill.core.scenario.reading import read_model

BUNDLED = Drill().plan.scenario
HERE = "http://localhost:8000"


def against(monitoring: Any = None, url: str | None = None) -> Scenario:
    """A scenario on another Prometheus or another model."""
    changes: dict[str, Any] = {}
    if monitoring is not None:
        changes["monitoring"], wrong = read_model(monitoring, Monitoring)
        assert not wrong
    if url is not None:
        changes["target"], wrong = read_model({"url": url, "schema": "s.json", "sample": "s.csv"}, UrlTarget)
        assert not wrong
    return BUNDLED.model_copy(update=changes)


def drills(*scenarios: Scenario) -> tuple[Chosen, ...]:
    return tuple(Chosen(str(at), Path(str(at)), one) for at, one in enumerate(scenarios))


def refused(jobs: str, *scenarios: Scenario, repeat: int = 1, options: Options | None = None) -> list[str]:
    return [one.got for one in Several(jobs).mistakes(drills(*scenarios), options or Options(), repeat)]


OWN = {"prometheus": {"url": "http://127.0.0.1:9090"}}
PAIR = {"prometheus": {"url": "http://127.0.0.1:9091", "replicas": ["http://127.0.0.1:9090/"]}}
SILENCED = {"alertmanager": {"url": "http://127.0.0.1:9093"}}


@pytest.mark.parametrize(
    ("scenarios", "what"),
    [
        ((against(url=HERE), against(url="http://127.0.0.1:8000/v1")), "the model at 127.0.0.1:8000"),
        ((against(OWN), against(PAIR)), "the Prometheus at 127.0.0.1:9090"),
        ((against(SILENCED), against(SILENCED)), "the Alertmanager at 127.0.0.1:9093"),
    ],
)
def test_drills_that_would_meet_somewhere_are_not_run_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch, scenarios: tuple[Scenario, ...], what: str
) -> None:
    assert refused("2", *scenarios) == [f"2 drills at the same time, of which several use {what}"]
    monkeypatch.setattr(command, "usable_cpus", lambda: 16)
    assert Several("auto").at_once(drills(*scenarios), Options(), 1) == 1
    assert refused("auto", *scenarios) == refused("1", *scenarios) == []


def test_drills_with_models_and_a_prometheus_of_their_own_may_run_at_the_same_time() -> None:
    assert refused("3", BUNDLED, BUNDLED, against(OWN)) == []
    assert refused("2", against(url=HERE), against(url="http://localhost:8001")) == []


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", "", "9999999", "²"])
def test_a_number_of_jobs_that_is_none_is_refused(jobs: str) -> None:
    assert refused(jobs, BUNDLED) == [jobs]


def test_series_and_workers_elsewhere_are_for_one_drill_after_the_other() -> None:
    assert refused("2", BUNDLED, repeat=3) == ["2 beside --repeat"]
    assert refused("2", BUNDLED, options=Options(distributed="127.0.0.1:9")) == ["2 beside --distributed"]


@pytest.mark.parametrize(("cpus", "count"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 5)])
def test_auto_is_one_drill_for_two_cpus_and_never_more_than_there_are_drills(
    monkeypatch: pytest.MonkeyPatch, cpus: int, count: int
) -> None:
    monkeypatch.setattr(command, "usable_cpus", lambda: cpus)
    assert Several("auto").at_once(drills(*[BUNDLED] * 5), Options(), 1) == count
    assert Several("auto").at_once(drills(*[BUNDLED] * 5), Options(), 2) == 1
    assert Several("7").at_once(drills(BUNDLED, BUNDLED), Options(), 1) == 2
    assert Several("7").at_once((), Options(), 1) == 1
