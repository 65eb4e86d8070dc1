"""Runs a Prometheus of our own for the length of a drill: own port, own data, gone without trace at the end."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from alertdrill.adapters.prometheus_config import SELF_JOB, ScrapeJob, configuration, targets_text
from alertdrill.adapters.prometheus_log import errors, listening_address
from alertdrill.adapters.scratch import Scratch
from alertdrill.core.errors import AlertdrillError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
WATCHDOG_TIMEOUT_S = 0.2 if sys.platform == "linux" else 2.0
POLL_S = 0.01
SHOWN_LOG_LINES = 20


class PrometheusFailed(AlertdrillError):
    """A managed Prometheus did not start; nothing of it is left."""

    exit_code = 2


class ManagedPrometheus:
    """A Prometheus that runs until `stop`.

    Attributes:
        url: where its HTTP interface answers, without a slash at the end.
        pid: of the process (on systems other than Linux, of the watchdog that runs it).
    """

    def __init__(self, process: asyncio.subprocess.Process, scratch: Scratch, targets: Mapping[str, Path]) -> None:
        self.url = ""
        self.pid = process.pid
        self._process = process
        self._scratch = scratch
        self._targets = dict(targets)
        self._last_log = ""

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None

    def log_tail(self, lines: int = SHOWN_LOG_LINES) -> str:
        """The last lines of its log, also after `stop`."""
        return "\n".join(self._log().splitlines()[-lines:])

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

    async def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it (SIGTERM, after `timeout_s` seconds SIGKILL) and remove its data; doing so again does nothing."""
        steps = [
            (self._process.terminate, timeout_s),
            (self._close_pipe, WATCHDOG_TIMEOUT_S),
            (self._process.kill, None),
        ]
        try:
            for end, wait_s in steps:
                if self.alive():
                    with contextlib.suppress(ProcessLookupError):
                        end()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._process.wait(), wait_s)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Kill it and remove its data at once, without waiting for its end."""
        self._close_pipe()
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._last_log = self._log()
        self._scratch.remove()

    def _close_pipe(self) -> None:
        """Where a watchdog runs it, this ends both; a watchdog that is killed cannot end its child."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _log(self) -> str:
        return _read(self._scratch.path / "log.jsonl") or self._last_log

    async def _wait_until_ready(self, timeout_s: float) -> None:
        """It listens before it loads its configuration: only `/-/ready` says that the rules are in place."""
        deadline = time.monotonic() + timeout_s
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2.0) as client:
            while time.monotonic() < deadline:
                if not self.alive():
                    raise PrometheusFailed(self._story(f"ended with exit code {self._process.returncode}"))
                if not self.url and (address := listening_address(self._log())):
                    self.url = f"http://{address}"
                    self.set_targets(SELF_JOB, [address])
                if self.url and await _ready(client, self.url):
                    return
                await asyncio.sleep(POLL_S)
        raise PrometheusFailed(self._story(f"was not ready after {timeout_s:g} s"))

    def _story(self, what: str) -> str:
        said = "\n    ".join("\n".join(errors(self._log())).splitlines())
        return f"prometheus {what} while it started\n    {said}\n  fix: mend what it names above, then run again"


async def start_prometheus(
    prometheus: Path,
    *,
    jobs: Sequence[ScrapeJob] = (),
    rule_files: Sequence[Path] = (),
    scrape_interval_s: float = 1.0,
    evaluation_interval_s: float = 1.0,
    alertmanagers: Sequence[str] = (),
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
        alertmanagers: `host:port` of receivers of its alerts.
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
            alertmanagers=alertmanagers,
            external_labels=external_labels,
        )
        (scratch.path / "prometheus.yml").write_text(config)
        managed = ManagedPrometheus(await _spawn(prometheus, scratch.path, flags), scratch, targets)
        await managed._wait_until_ready(timeout_s)
    except BaseException:
        if managed is None:
            scratch.remove()
        else:
            await managed.stop(timeout_s=0.5)
        raise
    return managed


async def _spawn(prometheus: Path, directory: Path, flags: Sequence[str]) -> asyncio.subprocess.Process:
    command = [
        *(sys.executable, "-P", "-m", "alertdrill.lifeline", "--exec", str(prometheus)),
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
        "--log.format=json",
        *flags,
    ]
    with (directory / "log.jsonl").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


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


def _read(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


async def _ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/-/ready")).status_code == 200
    except httpx.HTTPError:
        return False
