"""A real VictoriaMetrics and a real vmalert, of Debian's package `victoria-metrics`, unpacked without root."""

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from alertdrill.adapters.alert_receiver import AlertReceiver
from alertdrill.adapters.debian_packages import Packages, available
from alertdrill.adapters.prometheus_binary import Unusable
from alertdrill.adapters.prometheus_cache import workspace
from alertdrill.adapters.prometheus_install import cache_directory
from alertdrill.core.observations import AlertPost

PROGRAMS = ("victoria-metrics", "vmalert")


@dataclass(frozen=True)
class Victoria:
    """Where they answer, and what vmalert posted."""

    samples: str
    vmalert: str
    rules: Path
    posts: list[AlertPost]


def programs() -> Path:
    """The folder of the two programs; skips the test where the package cannot be had."""
    kept = cache_directory() / "victoria-metrics"
    if all((kept / name).exists() for name in PROGRAMS):
        return kept
    if not available():
        pytest.skip("victoria-metrics comes from Debian's package, and this system has no apt-get")
    with workspace(kept) as work:
        packages = Packages(work.path, print)
        try:
            packages.unpack("victoria-metrics")
        except Unusable as error:
            pytest.skip(str(error))
        for name in PROGRAMS:
            os.replace(packages.unpacked / "usr/bin" / name, kept / name)
    return kept


@asynccontextmanager
async def victoria(
    directory: Path, jobs: Mapping[str, str], rules: str, *, latency: str = "0s", proxied: bool = True
) -> AsyncIterator[Victoria]:
    """Run both: each of `jobs` (name to address) is scraped each second, `rules` evaluated as they say.

    Questions to the one about rules are passed on to the other, if they are to be `proxied`.
    """
    folder, posts = programs(), []
    scrape, file = directory / "scrape.yml", directory / "vmalert-rules.yml"
    listed = "".join(f"  - {{job_name: {job}, static_configs: [{{targets: ['{at}']}}]}}\n" for job, at in jobs.items())
    scrape.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{listed}")
    file.write_text(rules)
    one, two = _free_port(), _free_port()
    samples, vmalert = f"http://127.0.0.1:{one}", f"http://127.0.0.1:{two}"
    async with contextlib.AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(AlertReceiver(posts.append))
        await _run(
            stack,
            directory / "victoria-metrics.log",
            samples,
            [
                *(str(folder / "victoria-metrics"), f"-httpListenAddr=127.0.0.1:{one}", "-retentionPeriod=1d"),
                *(f"-storageDataPath={directory / 'data'}", f"-promscrape.config={scrape}"),
                f"-search.latencyOffset={latency}",
                *([f"-vmalert.proxyURL={vmalert}"] if proxied else []),
            ],
        )
        await _run(
            stack,
            directory / "vmalert.log",
            vmalert,
            [
                *(str(folder / "vmalert"), f"-httpListenAddr=127.0.0.1:{two}", f"-rule={file}"),
                *(f"-datasource.url={samples}", f"-remoteWrite.url={samples}", f"-remoteRead.url={samples}"),
                *(f"-notifier.url=http://{receiver.address}", "-configCheckInterval=1s"),
            ],
        )
        yield Victoria(samples, vmalert, file, posts)


async def _run(stack: contextlib.AsyncExitStack, log: Path, url: str, argv: list[str]) -> None:
    process = _start(argv, log)
    stack.callback(_end, process)
    async with httpx.AsyncClient() as http, asyncio.timeout(30):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await http.get(f"{url}/health")).status_code == 200:
                    return
            assert process.poll() is None, f"it ended: see {log}"
            await asyncio.sleep(0.05)


def _start(argv: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
