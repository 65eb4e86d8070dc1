"""PromQL that several panels share."""


def select(metric: str, of: str, *more: str) -> str:
    """A selector: the metric with matchers."""
    return f"{metric}{{{','.join([of, *more])}}}"


def share(part: str, whole: str, window: str, by: str = "") -> str:
    """One counter's share of another, 0 to 1; `by` a label, or over everything."""
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({part}[{window}]))\n/ sum{grouped} (rate({whole}[{window}]))"


def quantile(q: float, of: str, window: str) -> str:
    """A quantile (0 to 1) of the latency in seconds."""
    buckets = select("model_request_duration_seconds_bucket", of)
    return f"histogram_quantile({q:g}, sum by (le) (rate({buckets}[{window}])))"


def firing(matcher: str) -> str:
    """How many alerts of our rules fire on the model, or on what has no model; 0 where none does.

    `ALERTS` has no series then, and the alerts on what cannot be scraped know no model.
    """
    return f'count(ALERTS{{alertstate="firing",pillar!="",model=~"$model|",{matcher}}}) or vector(0)'
