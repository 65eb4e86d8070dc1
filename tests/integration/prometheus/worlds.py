"""Worlds for `promtool test rules`: what a healthy monitor exports over time, and what changes at one instant."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MODEL = {"model": "fraud", "version": "1", "job": "monitor", "instance": "monitor:1"}
THRESHOLD = 12.0
GLOBAL_THRESHOLD = 10.0
EDGES = ("0.1", "0.25", "0.5", "+Inf")


@dataclass(frozen=True)
class World:
    """What happens, from the begin and from `at_s` on.

    Attributes:
        name: what promtool calls it.
        step_s, length_s: between samples, and of all.
        at_s: when `then` begins.
        until_s: when it ends; 0: never.
        then: what differs from then on, by name of `Healthy`.
        fires: the alerts that fire at the end, and nothing else does; before `at_s` nothing does.
        gone: series whose name and labels contain one of these texts end at `at_s`.
    """

    name: str
    step_s: int
    length_s: int
    at_s: int
    then: Mapping[str, float] = field(default_factory=dict)
    fires: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()
    until_s: int = 0

    @property
    def alone(self) -> bool:
        """Whether it is about a process: about Prometheus as a whole, and not about one of several models."""
        return bool(self.gone) or any(name.endswith("_up") for name in self.then)

    @property
    def times(self) -> tuple[int, int, int]:
        """Worlds of the same times can be tested together."""
        return self.step_s, self.length_s, self.at_s

    def written(self) -> list[dict[str, str]]:
        """The series of promtool's file."""
        return [self._written(name, value) for name, value in self._series().items()]

    def _written(self, name: str, values: list[float]) -> dict[str, str]:
        ends = any(text in name for text in self.gone)
        kept = values[: self.at_s // self.step_s] if ends else values
        return {"series": name, "values": " ".join([f"{value:.10g}" for value in kept] + (["stale"] if ends else []))}

    def _series(self) -> dict[str, list[float]]:
        steps = self.length_s // self.step_s + 1
        series: dict[str, list[float]] = {}
        totals: dict[str, float] = {}
        for i in range(steps):
            at_s = i * self.step_s
            now = {**HEALTHY, **(self.then if self.at_s <= at_s < (self.until_s or at_s + 1) else {})}
            for name, per_s in _counters(now).items():
                totals[name] = totals.get(name, 0.0) + per_s * self.step_s
                series.setdefault(name, []).append(totals[name])
            for name, value in _gauges(now, at_s).items():
                series.setdefault(name, []).append(value)
        return series


def promtool_test(worlds: Sequence[World]) -> dict[str, Any]:
    """One entry of promtool's file for worlds of the same times, each a model of its own."""
    step_s, length_s, at_s = worlds[0].times
    inputs = {one["series"]: one for n, world in enumerate(worlds) for one in _of_model(n, world)}
    fires = {f"fraud-{n}": world.fires for n, world in enumerate(worlds)}
    alone = worlds[0].alone
    return {
        "name": ", ".join(world.name for world in worlds),
        "interval": f"{step_s}s",
        "input_series": list(inputs.values()),
        "promql_expr_test": [_expected(at_s - step_s, {}, alone), _expected(length_s, fires, alone)],
    }


def _of_model(n: int, world: World) -> Iterator[dict[str, str]]:
    for one in world.written():
        yield {**one, "series": one["series"].replace('model="fraud"', f'model="fraud-{n}"')}


def _expected(at_s: int, fires: Mapping[str, frozenset[str]], alone: bool) -> dict[str, Any]:
    by = "alertname" if alone else "model, alertname"
    named = [
        {"labels": f'{{alertname="{name}"}}' if alone else f'{{alertname="{name}", model="{model}"}}', "value": 1}
        for model, names in fires.items()
        for name in sorted(names)
    ]
    expr = f'count by ({by}) (count by ({by}) (ALERTS{{alertstate="firing"}}))'
    return {"expr": expr, "eval_time": f"{at_s}s", "exp_samples": named}


HEALTHY: Mapping[str, float] = {
    "rate": 100.0,  # requests a second
    "errors": 0.0,  # share of 5xx
    "malformed": 0.0,  # share of requests
    "slow": 0.01,  # share of answers between 250 and 500 ms
    "nulls": 0.008,  # share of `amount`
    "evidence": 3.0,
    "model_up": 1.0,
    "second_model_up": 1.0,
    "monitor_up": 1.0,
    "monitor_errors": 0.0,  # a second
    "monitor_dropped": 0.0,  # a second
    "evidence_age_s": 0.0,
    "labels": 50.0,  # a second
    "auc_low": 0.88,
    "auc_high": 0.92,
    "rmse_low": 2.0,
    "rmse_high": 2.6,
    "click_through": 0.03,
    "conversion": 0.05,
    "complaints": 0.01,
    "repeated_rows": 0.0,
    "global_evidence": 3.0,
    "prediction_evidence": 3.0,
    "dependent_predictions": 0.0,
    "few_answers": 0.0,
    "quality_unknown": 0.0,
    "check_below": 0.0,
}


def _counters(now: Mapping[str, float]) -> dict[str, float]:
    """Increments a second."""
    rate = now["rate"]
    served = rate * (1 - now["errors"])
    fast = rate - served * now["slow"]
    below = {"0.1": fast * 0.9, "0.25": fast, "0.5": rate, "+Inf": rate}
    rows = rate * (1 - now["malformed"])
    return {
        series("model_requests_total", code="200"): served,
        series("model_requests_total", code="500"): rate * now["errors"],
        series("model_predictions_total"): served,
        series("model_malformed_requests_total", reason="bad_json"): rate * now["malformed"],
        **{series("model_request_duration_seconds_bucket", le=le): below[le] for le in EDGES},
        series("model_feature_values_total", feature="amount", cell="q01"): rows * (1 - now["nulls"]),
        series("model_feature_values_total", feature="amount", cell="null"): rows * now["nulls"],
        series("model_feature_values_total", feature="amount", cell="missing"): 0.0,
        series("model_feature_values_total", feature="country", cell="DE"): rows,
        series("model_feature_values_total", feature="country", cell="null"): 0.0,
        series("model_feature_sum", feature="amount"): rows * 60.0,
        series("model_feature_count", feature="amount"): rows,
        series("model_monitor_errors_total"): now["monitor_errors"],
        series("model_monitor_dropped_total"): now["monitor_dropped"],
        series("model_labels_total"): now["labels"],
    }


def _gauges(now: Mapping[str, float], at_s: float) -> dict[str, float]:
    shares = {("amount", "q01"): 0.99, ("amount", "null"): 0.009, ("amount", "missing"): 0.001}
    shares |= {("country", "DE"): 0.999, ("country", "null"): 0.001}
    quality = {("auc", edge): now[f"auc_{edge}"] for edge in ("low", "high")}
    quality |= {("rmse", edge): now[f"rmse_{edge}"] for edge in ("low", "high")}
    return {
        **{series("model_feature_reference_share", feature=f, cell=c): share for (f, c), share in shares.items()},
        **{series("model_feature_reference_rows", feature=f): 10_000 for f in ("amount", "country")},
        series("model_feature_reference_mean", feature="amount"): 60.0,
        series("model_feature_reference_sd", feature="amount"): 50.0,
        series("model_drift_evidence", feature="amount"): now["evidence"],
        series("model_drift_threshold", feature="amount"): THRESHOLD,
        series("model_drift_global_evidence"): now["global_evidence"],
        series("model_drift_global_threshold"): GLOBAL_THRESHOLD,
        series("model_drift_warning", reason="repeated_rows"): now["repeated_rows"],
        series("model_prediction_drift_evidence", output="score"): now["prediction_evidence"],
        series("model_prediction_drift_threshold", output="score"): THRESHOLD,
        series("model_prediction_drift_warning", output="score", reason="dependent_in_time"): now[
            "dependent_predictions"
        ],
        series("model_prediction_drift_warning", output="score", reason="reference_too_small"): now["few_answers"],
        series("model_quality_state", window="1d", state="unknown"): now["quality_unknown"],
        series("model_accuracy_check_state", verdict="below"): now["check_below"],
        series("model_monitor_window_end_timestamp_seconds"): at_s - now["evidence_age_s"],
        'up{job="monitor",instance="monitor:1"}': now["monitor_up"],
        'up{job="model",instance="model:1"}': now["model_up"],
        'up{job="model",instance="model:2"}': now["second_model_up"],
        **{series(f"model_quality_{edge}", metric=metric): value for (metric, edge), value in quality.items()},
        **{series("model_quality", metric=m): (now[f"{m}_low"] + now[f"{m}_high"]) / 2 for m in ("auc", "rmse")},
        series("model_proxy_quality", metric="click_through"): now["click_through"],
        series("model_business_kpi", kpi="conversion"): now["conversion"],
        series("model_business_kpi", kpi="complaints"): now["complaints"],
    }


def series(name: str, **labels: str) -> str:
    """A series of the model's monitor."""
    return f"{name}{{{','.join(f'{key}={json.dumps(value)}' for key, value in {**labels, **MODEL}.items())}}}"
