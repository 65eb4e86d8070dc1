"""A day of samples on a grid of 30 s, and a hundred rules over it that promtool can evaluate too."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alertdrill.core.observations import RawSeries, RuleGroup, RuleInfo
from alertdrill.core.recording import STALE_BITS

STEP_S = 30.0
STEPS = 2880
BEGIN_MS = 2960 * 7 * 86_400_000
"""A whole number of weeks, so that hours, days of the week and the steps of subqueries are those that promtool has,
which begins at 0."""

HOSTS = ("a", "b", "c", "d")
Floats = NDArray[np.float64]
Written = tuple[str, str, dict[str, object]]


def series(seed: int) -> list[RawSeries]:
    """Gauges with episodes, counters that reset, histograms; targets that go down; series that vanish, and gaps."""
    draw = np.random.default_rng(seed)
    found = []
    for host in HOSTS:
        where = {"job": "model", "instance": f"{host}:80"}
        down = _episodes(draw, rate=1 / 400, mean=12)
        found.append(_series("up", where, (~down).astype(float)))
        for name, values in _exported(draw):
            labels = {**where, **name}
            # A target that is down has its series marked at once; some series have gaps without a marker as well.
            gone = down | (_episodes(draw, 1 / 150, 60) if name["__name__"] == "guest" else False)
            lost = _episodes(draw, 1 / 600, 8) if name["__name__"] == "patchy" else np.zeros(STEPS, dtype=bool)
            found.append(_series(labels.pop("__name__"), labels, values, gone, lost))
    found.append(_series("night_jobs", {"job": "batch"}, np.ones(STEPS), _hours(6, 22)))
    return found


def _exported(draw: np.random.Generator) -> Iterator[tuple[dict[str, str], Floats]]:
    steps = np.arange(STEPS)
    for n in range(3):
        wave = np.sin(steps / draw.uniform(20, 200) + n) + _episodes(draw, 1 / 300, 30) * 1.5
        yield {"__name__": "wave", "n": str(n)}, np.round(wave, 3)
    yield {"__name__": "patchy"}, np.round(draw.normal(0, 1, STEPS).cumsum() / 20, 3)
    yield {"__name__": "guest"}, draw.integers(0, 9, STEPS).astype(float)
    yield {"__name__": "level"}, np.floor(np.abs(np.sin(steps / 173)) * 5)
    errors = _episodes(draw, 1 / 250, 20)
    good, bad = draw.poisson(np.where(errors, 60, 100)), draw.poisson(np.where(errors, 30, 1))
    reset = np.flatnonzero(draw.random(STEPS) < 1 / 700)
    yield {"__name__": "work_total", "code": "200"}, _counter(good, reset)
    yield {"__name__": "work_total", "code": "500"}, _counter(bad, reset)
    slow = _episodes(draw, 1 / 300, 25)
    for le, share in (("0.1", np.where(slow, 0.2, 0.9)), ("1", np.where(slow, 0.6, 0.99)), ("+Inf", np.ones(STEPS))):
        yield {"__name__": "wait_bucket", "le": le}, _counter(np.floor((good + bad) * share), reset)


def _episodes(draw: np.random.Generator, rate: float, mean: float) -> NDArray[np.bool_]:
    """Where a step lies in an episode; they begin at random and last an exponential time."""
    found = np.zeros(STEPS, dtype=bool)
    for begin in np.flatnonzero(draw.random(STEPS) < rate):
        found[begin : begin + 1 + int(draw.exponential(mean))] = True
    return found


def _counter(added: NDArray[np.int64] | Floats, reset: NDArray[np.int64]) -> Floats:
    total = np.cumsum(added).astype(float)
    for at in reset.tolist():
        total[at:] -= total[at]
    return total


def _hours(begin: int, end: int) -> NDArray[np.bool_]:
    hour = np.arange(STEPS) * STEP_S / 3600
    return (hour >= begin) & (hour < end)


def _series(
    name: str,
    labels: dict[str, str],
    values: Floats,
    gone: NDArray[np.bool_] | None = None,
    lost: NDArray[np.bool_] | None = None,
) -> RawSeries:
    """A series with a marker where it is gone from, and nothing where it is gone or was not scraped."""
    gone = np.zeros(STEPS, dtype=bool) if gone is None else gone
    marked = gone & ~np.concatenate([[True], gone[:-1]])
    kept = (~gone | marked) & ~(np.zeros(STEPS, dtype=bool) if lost is None else lost & ~marked)
    samples = values.astype(np.float64)
    samples.view(np.uint64)[marked] = STALE_BITS
    times = BEGIN_MS + np.arange(STEPS, dtype=np.int64) * round(STEP_S * 1000)
    return RawSeries({"__name__": name, **labels}, times[kept], samples[kept])


def groups() -> tuple[RuleGroup, ...]:
    """In the order in which they are evaluated; each reads what those before it write."""
    written = (("records", _records()), ("thresholds", _thresholds()), ("windows", _windows()), ("tangled", _tangled()))
    return tuple(
        RuleGroup(f"/etc/{name}.yml", name, STEP_S, None, tuple(_rule(*one) for one in rules))
        for name, rules in written
    )


def _records() -> list[Written]:
    """Chains, up to four long; some with labels of their own."""
    found: list[Written] = [
        ("r:work:rate5m", "sum by (instance) (rate(work_total[5m]))", {}),
        ("r:errors:rate5m", 'sum by (instance) (rate(work_total{code="500"}[5m]))', {}),
        ("r:errors:ratio", "r:errors:rate5m / r:work:rate5m", {}),
        ("r:errors:ratio1h", "avg_over_time(r:errors:ratio[1h])", {}),
        ("r:errors:worst", "max(r:errors:ratio1h)", {"labels": {"scope": "all"}}),
        ("r:wave:max", "max by (n) (wave)", {}),
        ("r:wave:spread", "r:wave:max - min by (n) (wave)", {}),
        ("r:wait:p90", "histogram_quantile(0.9, sum by (le, instance) (rate(wait_bucket[10m])))", {}),
        ("r:guest:count", "count(guest)", {}),
        ("r:level:labelled", "level > 1", {"labels": {"kind": "level", "job": ""}}),
    ]
    return found


def _thresholds() -> list[Written]:
    """Alerts on what is there at an instant, with every kind of `for` and `keep_firing_for`."""
    found: list[Written] = []
    for n, hold in enumerate(("0s", "30s", "90s", "5m", "20m", "2h")):
        found.append((f"Wave{n}", f"wave > {0.2 + n / 10:g}", {"for": hold}))
        found.append((f"Kept{n}", f"wave > {1.1 - n / 10:g}", {"keep": hold}))
        found.append((f"HeldKept{n}", f"patchy > {n / 10:g}", {"for": "60s", "keep": hold}))
    found += [
        ("LongHeld", 'wave{n="1"} > -3', {"for": "6h"}),
        ("LongKept", "level == 4", {"keep": "6h"}),
        ("Down", "up == 0", {}),
        ("DownHeld", "up == 0", {"for": "2m"}),
        ("AllUp", "min(up) == 1", {"for": "10m"}),
        ("FewUp", "count(up == 1) < 4", {"for": "60s"}),
        ("NoGuest", 'absent(guest{instance="a:80"})', {}),
        ("NoGuestHeld", 'absent(guest{instance="b:80"})', {"for": "10m"}),
        ("NoGuests", 'absent(guest{instance=~"a:80|b:80"})', {}),
        ("NoNight", "absent(night_jobs)", {"for": "6h"}),
        ("Night", "night_jobs", {"for": "4h"}),
        ("Never", "no_such_metric > 0", {}),
        ("NeverThere", 'absent(no_such_metric{job="x"})', {"for": "1h"}),
        ("Guest", "guest > 6", {"keep": "60s"}),
        ("Both", "wave > 0.5 and on (instance) level > 2", {"for": "60s"}),
        ("Unless", 'wave{n="0"} > 0 unless on (instance) guest', {}),
        ("Or", 'wave{n="2"} > 1.2 or on (instance) guest > 7', {}),
        ("Bool", "(wave > bool 0.5) == 1", {"for": "90s"}),
        ("Top", "topk(2, wave) > 1.1", {}),
        ("Bottom", "bottomk(1, patchy) < -0.5", {"for": "2m"}),
        ("Quantile", "quantile by (n) (0.5, wave) > 0.6", {}),
        ("Spread", "stddev by (n) (wave) > 0.9", {"for": "60s"}),
        ("Count", 'count_values("is", level) > 2', {}),
        ("Scalar", "vector(time() % 3600) > 1800", {"for": "5m"}),
        ("Hour", "hour() >= 3 and hour() < 5", {}),
        ("Weekday", "day_of_week() == 4 and on () sum(level) > 8", {}),
        ("Old", "time() - timestamp(patchy) > 60", {}),
        ("Names", '{__name__=~"wave|level"} > 3', {}),
        ("Joined", 'label_join(level > 3, "both", "-", "job", "instance")', {}),
        ("Renamed", 'label_replace(level > 3, "host", "$1", "instance", "(.*):.*")', {"for": "60s"}),
        (
            "Labelled",
            'wave{n="0"} < -0.8',
            {"labels": {"severity": "P1", "n": "", "instance": "fixed-{{ $labels.instance }}"}},
        ),
        ("Valued", "level >= 2", {"labels": {"level": "{{ $value }}"}, "for": "60s"}),
        ("Graded", "level >= 1", {"labels": {"grade": "{{ if gt $value 3.0 }}high{{ else }}low{{ end }}"}}),
    ]
    return found


def _windows() -> list[Written]:
    """Alerts on what was there before: windows up to a day, offsets, subqueries, what was recorded, other alerts."""
    found: list[Written] = [
        ("Errors", "r:errors:ratio > 0.05", {}),
        ("ErrorsHeld", "r:errors:ratio > 0.05", {"for": "5m", "keep": "5m"}),
        ("ErrorsBurn", "r:errors:ratio1h > 0.05 and r:errors:ratio > 0.05", {"for": "60s"}),
        ("ErrorsWorst", 'r:errors:worst{scope="all"} > 0.06', {}),
        ("WaveSpread", "r:wave:spread > 2", {"for": "60s"}),
        ("Slow", "r:wait:p90 > 0.5", {"for": "2m"}),
        ("FewGuests", "r:guest:count < 3", {}),
        ("LevelRecorded", 'r:level:labelled{kind="level"} > 3', {}),
        ("Rate1m", "rate(work_total[1m]) > 3.5", {}),
        ("Irate", 'irate(work_total{code="500"}[2m]) > 0.8', {}),
        ("Delta", "delta(patchy[30m]) > 1", {}),
        ("Increase1h", 'increase(work_total{code="500"}[1h]) > 400', {"for": "2m"}),
        ("Increase1d", 'sum(increase(work_total{code="500"}[1d])) > 10000', {}),
        ("Resets", "resets(work_total[2h]) > 0", {}),
        ("Changes", "changes(level[2h]) > 3", {}),
        ("Average6h", "avg_over_time(wave[6h]) > 0.2", {"for": "1h"}),
        ("Average1d", "avg_over_time(patchy[1d]) > 0.3", {}),
        ("Most1d", "max_over_time(wave[1d]) > 2.4", {}),
        ("Least12h", "min_over_time(up[12h]) == 0", {"for": "3h"}),
        ("Quantile4h", "quantile_over_time(0.95, wave[4h]) > 1", {"for": "10m"}),
        ("Deviation", "stddev_over_time(patchy[1h]) > 0.3", {}),
        ("Counted", "count_over_time(guest[30m]) < 50", {"keep": "2m"}),
        ("NoneOverTime", 'absent_over_time(guest{instance="c:80"}[15m])', {}),
        ("Last", "last_over_time(patchy[10m]) > 0.8", {}),
        ("Slope", "deriv(wave[15m]) > 0.0008", {"for": "60s"}),
        ("Linear", "predict_linear(patchy[1h], 3600) > 1.5", {"for": "5m"}),
        ("Before", "wave offset 1h > 1", {}),
        ("Twice", "level > 1.5 * (level offset 30m)", {"for": "60s"}),
        ("RateBefore", "rate(work_total[5m]) > 1.3 * rate(work_total[5m] offset 3h)", {}),
        ("Sub", 'max_over_time(rate(work_total{code="500"}[2m])[1h:1m]) > 1', {}),
        ("SubDefault", "avg_over_time((wave > bool 0)[2h:]) > 0.6", {"for": "10m"}),
        ("SubOffset", "min_over_time(sum(up)[30m:1m] offset 10m) < 4", {}),
        ("SubNested", "max_over_time(avg_over_time(level[10m])[6h:5m]) > 3.5", {}),
        ("OnAlert", 'ALERTS{alertname="Wave2", alertstate="firing"} == 1', {"for": "60s"}),
        ("OnPending", 'count by (n) (ALERTS{alertname="Wave4", alertstate="pending"}) > 1', {}),
        ("OnAlerts", 'sum(ALERTS{alertstate="firing", alertname!~"On.*"}) > 60', {}),
        ("OnAlertsBefore", 'count_over_time(ALERTS{alertname="Down", alertstate="firing"}[1h]) > 10', {}),
        ("OnSince", 'time() - ALERTS_FOR_STATE{alertname="Kept1"} > 600', {}),
    ]
    return found


def _tangled() -> list[Written]:
    """Rules that read what a later rule of their group, or they themselves, wrote at the evaluation before."""
    found: list[Written] = [
        ("r:late", "r:later + 0", {}),
        ("r:later", "max by (n) (wave)", {}),
        ("r:own", "(r:own + 1) % 50 or on () vector(0)", {}),
        ("Late", "r:late > 1", {"for": "60s"}),
        ("Own", "r:own > 40", {}),
        (
            "Hysteresis",
            'wave > 1.3 or (wave > 0.3 and on (instance, n) ALERTS{alertname="Hysteresis"})',
            {"for": "60s"},
        ),
        ("Ping", 'vector(1) unless on () ALERTS{alertname="Pong"}', {}),
        ("Pong", 'count(ALERTS{alertname="Ping"}) == 1', {}),
    ]
    return found


def refused() -> tuple[RuleInfo, ...]:
    """What no replay can tell."""
    found: list[Written] = [
        ("AtTheEnd", "wave @ end() > 1", {}),
        ("Ahead", "wave offset -5m > 1", {}),
        ("Asks", "level > 1", {"labels": {"other": '{{ with query "up" }}{{ . | first | value }}{{ end }}'}}),
    ]
    return tuple(_rule(*one) for one in found)


def _rule(name: str, query: str, more: dict[str, object]) -> RuleInfo:
    labels = {str(key): str(value) for key, value in dict(more.get("labels", {})).items()}  # type: ignore[call-overload]
    kind = "recording" if name.startswith("r:") else "alerting"
    hold, keep = (_seconds(str(more.get(key, "0s"))) for key in ("for", "keep"))
    return RuleInfo(name, kind, query, hold, keep, labels, {}, "ok", "")  # type: ignore[arg-type]


def _seconds(text: str) -> float:
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
