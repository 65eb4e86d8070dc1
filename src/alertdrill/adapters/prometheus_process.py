"""Runs a Prometheus of our own for the length of a drill: own port, own data, gone without trace at the end."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from alertdrill.adapters.access import Access
from alertdrill.adapters.prometheus_config import SELF_JOB, ScrapeJob, configuration, targets_text
from alertdrill.adapters.prometheus_posting import Posting, posting
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.server_process import START_TIMEOUT_S, ServerFailed, ServerProcess, spawn


class PrometheusFailed(ServerFailed):
    """A managed Prometheus did not start; nothing of it is left."""


class ManagedPrometheus(ServerProcess):
    """A Prometheus that runs until `stop`."""

    name = "prometheus"
    failure = PrometheusFailed

    def __init__(self, process: asyncio.subprocess.Process, scratch: Scratch, targets: Mapping[str, Path]) -> None:
        super().__init__(process, scratch)
        self._targets = dict(targets)

    def set_targets(self, job: str, addresses: Sequence[str], labels: Mapping[str, str] | None = None) -> None:
        """Replace the targets of a job.

        Prometheus looks at new targets every 5 s, counted from its start: those known by then are first scraped 5 s
        after the start plus at most one scrape interval, those set later at the next such instant.

        Args:
            job: one of the jobs it was started with, or `prometheus` (itself).
            addresses: `host:port` each; none removes the targets.
            labels: added to every series of these targets.

        Raises:
            KeyError: there is no such job.
        """
        _replace(self._targets[job], targets_text(addresses, labels or {}))

    def listens_at(self, address: str) -> None:
        """Take note of where it listens, and have it scrape itself there."""
        super().listens_at(address)
        self.set_targets(SELF_JOB, [address])


async def start_prometheus(
    prometheus: Path,
    *,
    jobs: Sequence[ScrapeJob] = (),
    rule_files: Sequence[Path] = (),
    scrape_interval_s: float = 1.0,
    evaluation_interval_s: float = 1.0,
    alertmanagers: Sequence[str | Access] = (),
    external_labels: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    parent: Path | None = None,
    timeout_s: float = START_TIMEOUT_S,
) -> ManagedPrometheus:
    """Start a Prometheus on a free port of 127.0.0.1 and wait until it has loaded its rules.

    Call it from the main thread: on Linux the process dies with the thread that started it. Besides `jobs` it scrapes
    itself, as job `prometheus`.

    Args:
        prometheus: the program.
        jobs: what it scrapes; targets can also be set once it runs.
        rule_files: rule files, referred to by absolute path.
        scrape_interval_s: seconds between scrapes.
        evaluation_interval_s: seconds between evaluations of rules.
        alertmanagers: receivers of its alerts: `host:port`, or an address, or the way to one that wants a login.
        external_labels: added to the alerts that it posts.
        flags: further command line flags.
        parent: where its directory is made; by default that for temporary files.
        timeout_s: how long it may take.

    Raises:
        PrometheusFailed: it ended, or was not ready in time; the message has what it logged.
    """
    scratch = Scratch("alertdrill-prometheus-", parent)
    managed: ManagedPrometheus | None = None
    try:
        targets = _write_targets(scratch.path, jobs)
        config = configuration(
            jobs={targets[job.job]: job for job in (*jobs, ScrapeJob(SELF_JOB))},
            rule_files=_present(rule_files),
            scrape_interval_s=scrape_interval_s,
            evaluation_interval_s=evaluation_interval_s,
            alertmanagers=[_posting(one, scratch.path) for one in alertmanagers],
            external_labels=external_labels,
        )
        (scratch.path / "prometheus.yml").write_text(config)
        process = await spawn(_command(prometheus, scratch.path, flags), scratch.path)
        managed = ManagedPrometheus(process, scratch, targets)
        await managed.wait_until_ready(timeout_s)
    except BaseException:
        if managed is None:
            scratch.remove()
        else:
            await managed.stop(timeout_s=0.5)
        raise
    return managed


def _posting(to: str | Access, folder: Path) -> Posting:
    return posting(to, folder) if isinstance(to, Access) else Posting(to)


def _command(prometheus: Path, directory: Path, flags: Sequence[str]) -> list[str]:
    return [
        str(prometheus),
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
        "--log.format=json",
        *flags,
    ]


def _write_targets(directory: Path, jobs: Sequence[ScrapeJob]) -> dict[str, Path]:
    """A file of targets for each job, and for Prometheus itself; names of jobs may hold slashes, file names not."""
    files: dict[str, Path] = {}
    for number, job in enumerate((*jobs, ScrapeJob(SELF_JOB))):
        if job.job in files:
            raise PrometheusFailed(f"scrape job {job.job!r} is there twice\n  fix: give each job a name of its own")
        files[job.job] = directory / f"targets-{number}.json"
        files[job.job].write_text(targets_text(job.targets, job.labels))
    return files


def _present(rule_files: Sequence[Path]) -> list[Path]:
    """Absolute paths, symbolic links kept: Prometheus silently loads nothing for a path that does not exist."""
    for path in rule_files:
        if not path.is_file():
            raise PrometheusFailed(f"{path}: no such rule file\n  fix: write the path of a rule file")
    return [path.absolute() for path in rule_files]


def _replace(file: Path, text: str) -> None:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(text)
    temporary.replace(file)
