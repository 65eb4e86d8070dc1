"""`alertdrill replay --prometheus`: a real Prometheus with three days of a past that arithmetic can foretell."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.integration.replay.past_server import Front, PastServer

from alertdrill.adapters import range_cache, range_reads
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.compose.history import HistoryOptions, replay_history
from alertdrill.core.errors import BadInput
from alertdrill.core.history.result import HistoryResult, RuleHistory
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import STALE
from alertdrill.core.replay.grid import packing_of, phase_ms
from alertdrill.core.stats import poisson_upper

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SCRAPE = 30_000
SLOW_MS = 20_000
NIGHT = (time.time_ns() // 1_000_000 // DAY - 1) * DAY + 3 * HOUR
"""Yesterday, 03:00 UTC."""

ONSET = NIGHT + 10 * MINUTE
BROKEN = ONSET + 95_000
ALARMS = (NIGHT - 30 * HOUR, NIGHT - 29 * HOUR, NIGHT - 3 * HOUR)
LOADED = "groups: [{name: g, rules: [{alert: Old, expr: vector(0) > 1}]}]"
RULES = """
groups:
- name: g
  rules:
  - record: job:broken:max
    expr: max by (job) (broken)
  - {alert: Broken, expr: "job:broken:max == 1", for: 2m}
  - {alert: Slow, expr: slow == 1}
  - {alert: Gone, expr: gone == 1}
  - {alert: Down, expr: up == 0}
  - {alert: Always, expr: vector(1)}
  - {alert: Elsewhere, expr: elsewhere > 1}
  - {alert: Never, expr: 'broken{code="500"} == 1'}
"""


def scrapes(offset: int) -> np.ndarray:
    return np.arange(NIGHT - 3 * DAY + offset, NIGHT + 2 * HOUR, SCRAPE, dtype=np.int64)


def past() -> list[RawSeries]:
    """Two targets; `broken` for ten minutes before three times, and for half an hour at last; `gone` ends amid."""
    quick, slow = scrapes(7_000), scrapes(11_000)
    broken = (quick >= BROKEN) & (quick < BROKEN + 30 * MINUTE)
    for begin in ALARMS:
        broken |= (quick >= begin) & (quick < begin + 10 * MINUTE)
    there = quick[(quick >= ONSET) & (quick < ONSET + 5 * MINUTE)]
    marked = np.append(there, there[-1] + SCRAPE)
    found = []
    for instance, times, took in (("m:0", quick, 20), ("m:1", slow, SLOW_MS)):
        labels = {"job": "model", "instance": instance}
        found.append(RawSeries({"__name__": "up", **labels}, times, np.ones(len(times))))
        found.append(
            RawSeries({"__name__": "scrape_duration_seconds", **labels}, times, np.full(len(times), took / 1e3))
        )
    quickly, slowly = {"job": "model", "instance": "m:0"}, {"job": "model", "instance": "m:1"}
    found.append(RawSeries({"__name__": "broken", **quickly}, quick, broken.astype(float)))
    found.append(RawSeries({"__name__": "slow", **slowly}, slow, (slow >= BROKEN).astype(float)))
    found.append(RawSeries({"__name__": "gone", **quickly}, marked, np.append(np.ones(len(there)), STALE)))
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastServer]:
    found = PastServer(ensure_prometheus().prometheus.path, tmp_path_factory.mktemp("past"), LOADED)
    try:
        found.start()
        found.write(past())
        yield found
    finally:
        found.kill()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a server that may be asked as fast as it answers."""
    monkeypatch.setattr(range_cache, "cache_folder", lambda: tmp_path / "ranges")
    monkeypatch.setattr(range_reads, "APART_S", 0.0)
    return tmp_path / "ranges"


def at(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def replayed(
    url: str,
    folder: Path,
    rules: str = RULES,
    against: str | None = None,
    note: Callable[[str], None] = lambda text: None,
    history: str = "2d",
) -> HistoryResult:
    files = []
    for name, text in (("rules.yml", rules), ("base.yml", against)):
        if text is not None:
            (folder / name).write_text(text)
            files.append([folder / name])
    options = HistoryOptions(url, f"{at(NIGHT)}..{at(NIGHT + HOUR)}", at(ONSET), history, "UTC")
    return replay_history(options, files[0], files[1] if against else None, ["lost", "false-alarm"], note)


def alerts(found: HistoryResult) -> dict[str, RuleHistory]:
    return {one.id: one for one in found.alerts}


def evaluations(server: PastServer, version: str) -> np.ndarray:
    phase = phase_ms(str(server.rules), "g", MINUTE, packing_of(version))
    return np.arange(NIGHT // MINUTE * MINUTE + phase, NIGHT + HOUR, MINUTE)


def after(instants: np.ndarray, ms: int) -> float:
    return float(instants[instants >= ms][0]) / 1000


def foretold(server: PastServer, version: str) -> dict[str, float]:
    """When alerts fire, or resolve: at the first evaluation after the end of the scrape that shows it."""
    instants = evaluations(server, version)
    quick, slow = scrapes(7_000), scrapes(11_000)
    first, last = int(quick[quick >= BROKEN][0]), int(quick[quick < ONSET + 5 * MINUTE][-1])
    return {
        "Broken": after(instants, first + 23) + 120.0,
        "Slow": after(instants, int(slow[slow >= BROKEN][0]) + SLOW_MS + 3),
        "Gone": after(instants, last + SCRAPE + 23),
    }


def check_as_foretold(found: HistoryResult, server: PastServer) -> None:
    by_name, foreseen = alerts(found), foretold(server, found.version)
    assert by_name["Broken"].firing_at == foreseen["Broken"]
    assert by_name["Broken"].ttd_s == pytest.approx(foreseen["Broken"] - ONSET / 1000, abs=1e-6)
    assert by_name["Slow"].firing_at == foreseen["Slow"]
    assert by_name["Gone"].resolved_at == foreseen["Gone"]
    assert by_name["Broken"].error_s == by_name["Slow"].error_s == 0.0
    verdicts = {
        name: (one.verdict.value, one.reason.code.value if one.reason else None) for name, one in by_name.items()
    }
    assert verdicts == {
        "Broken": ("detected", None),
        "Slow": ("detected", None),
        "Gone": ("detected", None),
        "Down": ("missed", "never_pending"),
        "Always": ("inconclusive", "already_firing"),
        "Elsewhere": ("inconclusive", "series_not_recorded"),
        "Never": ("missed", "never_pending"),
    }


def test_alerts_fire_at_the_evaluations_that_arithmetic_foretells(
    server: PastServer, cache: Path, tmp_path: Path
) -> None:
    found = replayed(server.url, tmp_path)
    check_as_foretold(found, server)
    assert (found.reading.markers, found.verdict) == ("remote_read", "inconclusive")
    alarms = alerts(found)["Broken"].false_alarms
    assert alarms is not None
    assert (alarms.count, alarms.episodes, alarms.judged_s) == (3, 3, 2 * 86_400.0)
    assert alarms.at_most_per_30_d == poisson_upper(3, 2 / 30)
    assert [one["fault_start_source"] for one in json.loads(found.to_json())["alerts"]] == ["stated"] * 7
    again = replayed(server.url, tmp_path)
    assert (again.reading.asked, again.reading.kept) == (0, again.reading.chunks)
    assert again.alerts == found.alerts


def test_where_remote_read_is_closed_markers_are_inferred(server: PastServer, cache: Path, tmp_path: Path) -> None:
    with Front(server.port) as front:
        found = replayed(front.url, tmp_path, history="0")
    check_as_foretold(found, server)
    assert found.reading.markers == "inferred"
    assert alerts(found)["Broken"].false_alarms is None


def test_a_run_after_the_server_died_reads_only_what_is_missing(
    server: PastServer, cache: Path, tmp_path: Path
) -> None:
    def killing(text: str) -> None:
        if text.startswith("reading 3 of"):
            server.kill()

    with pytest.raises(QueryFailed, match="cannot be reached"):
        replayed(server.url, tmp_path, note=killing)
    kept = len(list(cache.iterdir()))
    server.start()
    found = replayed(server.url, tmp_path)
    check_as_foretold(found, server)
    assert found.reading.kept == kept > 0
    assert server.answered("/api/v1/read") == found.reading.asked == found.reading.chunks - kept + 1
    damaged = sorted(cache.iterdir())[:2]
    damaged[0].write_bytes(damaged[0].read_bytes()[:-40])
    damaged[1].write_bytes(b"")
    again = replayed(server.url, tmp_path)
    assert (again.reading.chunks - again.reading.kept, again.alerts) == (2, found.alerts)


def test_what_a_limit_refuses_is_asked_for_in_halves_until_it_cannot_be(
    server: PastServer, cache: Path, tmp_path: Path
) -> None:
    server.kill()
    server.start("--storage.remote.read-sample-limit=2000")
    try:
        found = replayed(server.url, tmp_path)
        check_as_foretold(found, server)
        assert found.reading.asked > 2 * found.reading.chunks
        assert replayed(server.url, tmp_path).reading.asked == 0
        for file in cache.iterdir():
            file.unlink()
        server.kill()
        server.start("--storage.remote.read-sample-limit=5")
        refused = alerts(replayed(server.url, tmp_path))["Broken"]
        assert refused.reason is not None
        assert refused.reason.code == "query_failed"
        assert "exceeded sample limit" in refused.reason.text
        assert refused.false_alarms is None
    finally:
        server.kill()
        server.start()


def test_other_rules_are_compared_by_what_they_lose_and_alarm(server: PastServer, cache: Path, tmp_path: Path) -> None:
    changed = RULES.replace("for: 2m", "for: 40m").replace(
        "slow == 1", "slow == 1 or slow == 0 and on() job:broken:max == 1"
    )
    found = replayed(server.url, tmp_path, changed, RULES)
    outcomes = [(one.id, one.outcome.value) for one in found.changes if one.outcome.value != "kept"]
    assert outcomes == [
        ("Broken", "lost"),
        ("Broken", "false_alarm_gone"),
        ("Slow", "new_false_alarm"),
    ]
    assert found.verdict == "failed"
    lost = next(one for one in found.changes if one.outcome.value == "lost")
    assert lost.causes == (f"{tmp_path / 'rules.yml'}:7 for 2m→40m",)


def test_a_range_that_the_server_does_not_hold_is_refused(server: PastServer, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    early = NIGHT - 60 * DAY
    options = HistoryOptions(server.url, f"{at(early)}..{at(early + HOUR)}", at(early), "0", "UTC")
    with pytest.raises(BadInput, match=r"--range[\s\S]*retention is 100y"):
        replay_history(options, [tmp_path / "rules.yml"], None, [], lambda text: None)
    found = replayed(server.url, tmp_path, history="30d")
    assert found.past.held_from is not None
    assert 0 <= found.past.held_from - (NIGHT - 3 * DAY + 7_000) / 1000 < 1.001
    alarms = alerts(found)["Broken"].false_alarms
    assert alarms is not None
    assert alarms.judged_s == pytest.approx(3 * 86_400 + 600 - 7, abs=1.001)


def test_rules_that_the_engine_would_not_load_are_bad_input(server: PastServer, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"rules\.yml"):
        replayed(server.url, tmp_path, RULES.replace("up == 0", "rollup_rate(up[5m]) == 0"))
    assert not cache.exists()
