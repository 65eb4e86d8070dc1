"""The configuration of a managed Prometheus: jobs whose targets come from files, users' rules under their own paths."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from alertdrill.adapters.prometheus_posting import Posting
from alertdrill.core.errors import BadInput, Mistake

SELF_JOB = "prometheus"
_GLOB = re.compile(r"([\\*?\[])")


@dataclass(frozen=True)
class ScrapeJob:
    """What to scrape under one job name.

    Attributes:
        job: value of the label `job`.
        targets: addresses `host:port`; more can be set while Prometheus runs.
        labels: added to every series of the targets.
        path: where the metrics are.
        scheme: http or https.
        params: query parameters of a scrape.
        interval_s: seconds between scrapes; None means the global interval.
    """

    job: str
    targets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    path: str = "/metrics"
    scheme: str = "http"
    params: Mapping[str, Sequence[str]] = field(default_factory=dict)
    interval_s: float | None = None

    @classmethod
    def from_url(cls, job: str, url: str, labels: Mapping[str, str] | None = None) -> "ScrapeJob":
        """The job that scrapes one address, such as `http://127.0.0.1:9100/metrics?collect[]=cpu`.

        Raises:
            BadInput: the address is not http or https, or has no host.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
            where = f"monitoring.scrape, job {job}"
            expected = "an http or https address without user name"
            raise BadInput([Mistake(where=where, got=url, expected=expected, fix="write http://HOST:PORT/metrics")])
        return cls(job, (parts.netloc,), labels or {}, parts.path or "/metrics", parts.scheme, parse_qs(parts.query))


def prometheus_duration(duration_s: float) -> str:
    """Seconds as Prometheus writes durations: `1s`, or `250ms` when they are not whole. At least 1 ms."""
    milliseconds = max(1, round(duration_s * 1000))
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def configuration(
    *,
    jobs: Mapping[Path, ScrapeJob],
    rule_files: Sequence[Path],
    scrape_interval_s: float,
    evaluation_interval_s: float,
    alertmanagers: Sequence[Posting] = (),
    external_labels: Mapping[str, str] | None = None,
) -> str:
    """Text of the configuration file: JSON, which is YAML.

    Args:
        jobs: jobs by the file that will hold their targets.
        rule_files: absolute paths. They are referred to, not copied: the path of a rule file decides the phase at
            which Prometheus evaluates its groups.
        scrape_interval_s: global scrape interval in seconds.
        evaluation_interval_s: global evaluation interval in seconds.
        alertmanagers: to which alerts are posted.
        external_labels: added to the alerts that are posted.
    """
    scrape, evaluation = prometheus_duration(scrape_interval_s), prometheus_duration(evaluation_interval_s)
    general: dict[str, object] = {"scrape_interval": scrape, "evaluation_interval": evaluation}
    if external_labels:
        general["external_labels"] = dict(external_labels)
    content: dict[str, object] = {
        "global": general,
        "rule_files": [_GLOB.sub(r"\\\1", str(path)) for path in rule_files],
        "scrape_configs": [_scrape_config(job, file) for file, job in jobs.items()],
    }
    if alertmanagers:
        content["alerting"] = {"alertmanagers": [_manager(one) for one in alertmanagers]}
    return json.dumps(content, indent=2) + "\n"


def _manager(to: Posting) -> dict[str, object]:
    address = to.address
    parts = urlsplit(address if "://" in address else f"http://{address}")
    scheme = {"scheme": parts.scheme} if parts.scheme != "http" else {}
    prefix = {"path_prefix": parts.path} if parts.path else {}
    static = {"static_configs": [{"targets": [parts.netloc]}]}
    return {"api_version": "v2", "timeout": "2s", **scheme, **prefix, **to.options, **static}


def targets_text(targets: Sequence[str], labels: Mapping[str, str]) -> str:
    """Text of a file that names the targets of a job."""
    return json.dumps([{"targets": list(targets), "labels": dict(labels)}] if targets else []) + "\n"


def _scrape_config(job: ScrapeJob, file: Path) -> dict[str, object]:
    config: dict[str, object] = {
        "job_name": job.job,
        "metrics_path": job.path,
        "scheme": job.scheme,
        "file_sd_configs": [{"files": [str(file)]}],
    }
    if job.params:
        config["params"] = {name: list(values) for name, values in job.params.items()}
    if job.interval_s is not None:
        config["scrape_interval"] = prometheus_duration(job.interval_s)
    return config
