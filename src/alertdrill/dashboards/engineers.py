"""The dashboard for engineers: what is broken, since when, and where to look."""

from collections.abc import Iterator

from alertdrill.alerting.choices import Choices
from alertdrill.alerting.limits import Limits
from alertdrill.dashboards.board import INTERVAL, Board, Panel, Query, Row
from alertdrill.dashboards.feedback import feedback_rows
from alertdrill.dashboards.predictions import prediction_rows
from alertdrill.dashboards.selectors import firing, quantile, select, share
from alertdrill.protocols.schema import Schema

OF = 'model="$model",version=~"$version"'
FEATURE_OF = f'{OF},feature="$feature"'


def engineers(name: str, schema: Schema, choices: Choices) -> Board:
    """The board for a schema; no panel asks for a series that the monitor does not export for it."""
    rows = [_now(), _system(), Row("Data", tuple(_data(schema))), _one_feature(schema)]
    rows += [*prediction_rows(choices, OF), *feedback_rows(choices, OF), _monitor()]
    return Board(
        audience="engineers",
        title=f"{name}: model health, for engineers",
        description="Requests, latency, errors, inputs and their drift, and the monitor itself.",
        rows=tuple(rows),
        shown="1h",
        by_version=True,
        by_feature=True,
    )


def _now() -> Row:
    limits = Limits()
    alerts = tuple(Query(firing(f'severity="{severity}"'), severity) for severity in ("P0", "P1", "P2"))
    answering = tuple(Query(f'min(up{{job="{job}"}})', job) for job in ("model", "monitor"))
    requests = f"sum(rate({select('model_requests_total', OF)}[{INTERVAL}]))"
    return Row(
        "Now",
        (
            Panel("Alerts firing", "By severity; see the runbook that an alert links to.", alerts, "number", limit=1),
            Panel(
                "Scraped",
                "1: Prometheus reaches the process, 0: it does not.",
                answering,
                "number",
                limit=1,
                bad_below=True,
            ),
            Panel("Requests", "All codes.", (Query(requests, "requests"),), "number", "reqps", 4),
            Panel(
                "Latency p95",
                "95% of the answers came sooner.",
                (Query(quantile(0.95, OF, INTERVAL), "p95"),),
                "number",
                "s",
                4,
                limits.latency,
            ),
        ),
    )


def _system() -> Row:
    by_code = f"sum by (code) (rate({select('model_requests_total', OF)}[{INTERVAL}]))"
    errors = share(select("model_requests_total", OF, 'code=~"5.."'), select("model_requests_total", OF), INTERVAL)
    buckets = f"sum by (le) (increase({select('model_request_duration_seconds_bucket', OF)}[{INTERVAL}]))"
    latencies = tuple(Query(quantile(q, OF, INTERVAL), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99))
    limits = Limits()
    return Row(
        "System",
        (
            Panel(
                "Requests by code",
                "5xx: the model's failures; 4xx: the clients'.",
                (Query(by_code, "{{code}}"),),
                unit="reqps",
            ),
            Panel(
                "Share of 5xx",
                "Alert ErrorRateHigh.",
                (Query(errors, "5xx"),),
                unit="percentunit",
                limit=limits.error_budget,
            ),
            Panel("Latency", "Alert PredictionLatencyHigh.", latencies, unit="s", limit=limits.latency),
            Panel(
                "Latency, all of it",
                "Answers by bucket of the histogram.",
                (Query(buckets, "{{le}}"),),
                "heat",
                "s",
                24,
            ),
        ),
    )


def _data(schema: Schema) -> Iterator[Panel]:
    values = "model_feature_values_total"
    evidence = f"{select('model_drift_evidence', OF)} / {select('model_drift_threshold', OF)}"
    together = f"{select('model_drift_global_evidence', OF)} / {select('model_drift_global_threshold', OF)}"
    absent = share(select(values, OF, 'cell=~"null|missing"'), select(values, OF), INTERVAL, "feature")
    strange = _strange_cells(schema)
    odd = share(select(values, OF, f'cell=~"{strange}"'), select(values, OF), INTERVAL, "feature")
    malformed = f"sum by (reason) (rate({select('model_malformed_requests_total', OF)}[{INTERVAL}]))"
    yield Panel(
        "Evidence for drift ÷ threshold",
        "Logarithms; at 1 FeatureDrift fires, or InputDrift for all together; clean data gets there about once a week.",
        (Query(evidence, "{{feature}}"), Query(together, "all together")),
        unit="ratio",
        limit=1,
    )
    yield Panel(
        "Null or missing",
        "Alert FeatureNullRateHigh.",
        (Query(absent, "{{feature}}"),),
        unit="percentunit",
        limit=Limits().nulls,
    )
    yield Panel(
        "Outside of what the reference knows",
        "Values of a wrong type, out of the reference's range, or of a category that it does not hold.",
        (Query(odd, "{{feature}}"),),
        unit="percentunit",
    )
    if has_numbers(schema):
        yield Panel(
            "Means, in standard deviations from the reference",
            "Which way and how far a feature has moved.",
            (Query(mean_shift(OF, INTERVAL), "{{feature}}"),),
            unit="sd",
            width=12,
        )
    yield Panel(
        "Malformed requests", "Alert MalformedRequestsHigh.", (Query(malformed, "{{reason}}"),), unit="reqps", width=12
    )


def _strange_cells(schema: Schema) -> str:
    watched = [feature for feature in schema.features if feature.watched]
    numbers = ["below", "above"] if any(feature.numeric for feature in watched) else []
    texts = ["unseen"] if any(not feature.numeric for feature in watched) else []
    return "|".join(["type_error", *numbers, *texts])


def has_numbers(schema: Schema) -> bool:
    """Whether the monitor keeps means: it does of watched numbers."""
    return any(feature.watched and feature.numeric for feature in schema.features)


def mean_shift(of: str, window: str) -> str:
    """Signed distance of every feature's mean from the reference's, in standard deviations of the reference."""
    total, count = (
        f"sum by (feature) (delta({select(name, of)}[{window}]))"
        for name in ("model_feature_sum", "model_feature_count")
    )
    mean, sd = (
        f"max by (feature) ({select(name, of)})"
        for name in ("model_feature_reference_mean", "model_feature_reference_sd")
    )
    return f"({total} / {count} - {mean}) / {sd}"


def _one_feature(schema: Schema) -> Row:
    values, reference = "model_feature_values_total", "model_feature_reference_share"
    live = (
        f"sum by (cell) (rate({select(values, FEATURE_OF)}[{INTERVAL}]))\n"
        f"/ on () group_left () sum(rate({select(values, FEATURE_OF)}[{INTERVAL}]))"
    )
    return Row(
        "Feature $feature",
        (
            Panel(
                "Share of every cell",
                "q01 to q10: tenths of the reference.",
                (Query(live, "{{cell}}"),),
                "lines",
                "percentunit",
                12,
            ),
            Panel(
                "The same in the reference",
                "What the shares are where nothing drifted.",
                (Query(f"max by (cell) ({select(reference, FEATURE_OF)})", "{{cell}}"),),
                "bars",
                "percentunit",
                12,
            ),
        ),
    )


def _monitor() -> Row:
    age = f"time() - max by (version) ({select('model_monitor_window_end_timestamp_seconds', OF)})"
    lost = tuple(
        Query(f"sum(increase({select(f'model_monitor_{name}_total', OF)}[{INTERVAL}]))", name)
        for name in ("errors", "dropped", "refused", "unknown_keys")
    )
    panels = [
        Panel(
            "Age of the evidence",
            "It is brought up to date ten times a second.",
            (Query(age, "{{version}}"),),
            unit="s",
            width=6,
        ),
        Panel("Not counted", "Failures of the monitor and what it left out. Alert MonitorFailing.", lost, width=6),
        Panel(
            "CPU of the monitor",
            "Processor seconds a second.",
            (Query(f'rate(process_cpu_seconds_total{{job="monitor"}}[{INTERVAL}])', "{{instance}}"),),
            unit="cores",
            width=6,
        ),
        Panel(
            "Memory of the monitor",
            "Resident.",
            (Query('process_resident_memory_bytes{job="monitor"}', "{{instance}}"),),
            unit="bytes",
            width=6,
        ),
    ]
    warnings = Query(f"max by (reason) ({select('model_drift_warning', OF)})", "{{reason}}")
    doubt = "1: a condition of theirs does not hold. Alert DriftWatchDoubtful."
    panels.append(Panel("Drift alarms in doubt", doubt, (warnings,), width=24, limit=1))
    return Row("Monitor", tuple(panels))
