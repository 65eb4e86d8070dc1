"""What is recorded: shares, rates and distributions over the windows of a profile. Metric names are DESIGN.md's."""

from collections.abc import Iterator

from alertdrill.alerting.profile import Profile
from alertdrill.alerting.rule import Recording
from alertdrill.drift.psi import PSEUDO_ROWS, SMALLEST_SHARE

MODEL = "model, version"
FEATURE = "model, version, feature"
CELL = "model, version, feature, cell"
ABSENT = 'model_feature_values_total{cell=~"null|missing"}'
ERRORS = 'model_requests_total{code=~"5.."}'
ERROR_RATIO = "model:request_errors:ratio_rate"


def share(part: str, whole: str, by: str, window: str) -> str:
    """PromQL of one counter's share of another."""
    return f"sum by ({by}) (rate({part}[{window}]))\n/ sum by ({by}) (rate({whole}[{window}]))"


def null_share(window: str) -> str:
    """Name of the recorded share of nulls."""
    return f"model:feature_null:ratio_rate{window}"


def malformed_share(window: str) -> str:
    """Name of the recorded share of malformed requests."""
    return f"model:malformed_requests:ratio_rate{window}"


def request_rate(window: str) -> str:
    """Name of the recorded rate of requests."""
    return f"model:requests:rate{window}"


def slow_quantile(window: str) -> str:
    """Name of the recorded 95% quantile of the latency."""
    return f"model:request_duration_seconds:p95_rate{window}"


def requests(profile: Profile) -> Iterator[Recording]:
    """Nulls, malformed requests, traffic and latency."""
    yield Recording(
        null_share(profile.ratio),
        share(ABSENT, "model_feature_values_total", FEATURE, profile.ratio),
        "Share of a feature's values that are null or whose key is missing, 0 to 1.",
    )
    yield Recording(
        malformed_share(profile.ratio),
        share("model_malformed_requests_total", "model_requests_total", MODEL, profile.ratio),
        "Share of requests whose body holds no row, 0 to 1.",
    )
    yield from errors((profile.ratio,) if not profile.days else ())
    yield Recording(
        request_rate(profile.traffic),
        f"sum by ({MODEL}) (rate(model_requests_total[{profile.traffic}]))",
        "Requests a second.",
    )
    comment = (
        "95% of requests were answered within so many seconds. The long window remembers, the short one forgets a "
        "stall."
    )
    for window in profile.latency:
        buckets = f"sum by ({MODEL}, le) (rate(model_request_duration_seconds_bucket[{window}]))"
        yield Recording(slow_quantile(window), f"histogram_quantile(0.95, {buckets})", comment)
        comment = ""


def errors(windows: tuple[str, ...]) -> Iterator[Recording]:
    """The share of 5xx over some windows."""
    comment = "Share of requests answered 5xx, 0 to 1."
    for window in windows:
        yield Recording(ERROR_RATIO + window, share(ERRORS, "model_requests_total", MODEL, window), comment)
        comment = ""


def mean_shift(profile: Profile) -> Recording:
    """How far means have moved; only numbers have one."""
    window = profile.distribution
    return Recording(
        f"model:feature_mean_shift:sd_rate{window}",
        f"""\
abs(
  sum by ({FEATURE}) (delta(model_feature_sum[{window}]))
  / sum by ({FEATURE}) (delta(model_feature_count[{window}]))
  - max by ({FEATURE}) (model_feature_reference_mean)
)
/ max by ({FEATURE}) (model_feature_reference_sd)""",
        "Distance of a feature's mean from the reference's, in standard deviations of the reference. A sum of numbers "
        "can fall, which `rate` would take for a restart: hence `delta`.",
    )


def stability(profile: Profile) -> Iterator[Recording]:
    """The population stability index less its mean without drift; `drift/psi.py` says why, and computes the same."""
    window = profile.distribution
    rows, shares = f"model:feature_rows:increase{window}", f"model:feature_share:rate{window}"
    reference = f"max by ({CELL}) (model_feature_reference_share)"
    yield Recording(
        rows,
        f"sum by ({FEATURE}) (increase(model_feature_values_total[{window}]))",
        "Population stability index of a feature's cells against the reference, less its mean where nothing drifted, "
        "(cells - 1) (1 / rows + 1 / reference rows). Five rows with the reference's shares are added to every window, "
        "so that an empty cell has a share above 0.",
    )
    yield Recording(
        shares,
        f"""\
(
  sum by ({CELL}) (increase(model_feature_values_total[{window}]))
  + {PSEUDO_ROWS:g} * {reference}
)
/ on ({FEATURE}) group_left () ({rows} + {PSEUDO_ROWS:g})""",
    )
    yield Recording(
        f"model:feature_psi:rate{window}",
        f"""\
clamp_min(
  sum by ({FEATURE}) (
    ({shares} - {reference})
    * ln({shares} / {reference})
  )
  - (count by ({FEATURE}) (model_feature_reference_share >= {SMALLEST_SHARE:g}) - 1)
  * (
    1 / ({rows} + {PSEUDO_ROWS:g})
    + 1 / max by ({FEATURE}) (model_feature_reference_rows)
  ),
  0
)""",
    )
