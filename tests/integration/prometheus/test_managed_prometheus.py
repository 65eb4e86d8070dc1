import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_process import PrometheusFailed, start_prometheus


def running(name: str) -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.name() == name]


def left_in(parent: Path) -> list[str]:
    return [entry.name for entry in parent.iterdir()]


async def test_it_starts_soon_and_leaves_nothing(binaries, tmp_path):
    start = time.monotonic()
    prometheus = await start_prometheus(binaries.prometheus.path, parent=tmp_path)
    assert time.monotonic() - start < 10
    process = psutil.Process(prometheus.pid)
    assert prometheus.alive()
    assert process.exe() == str(binaries.prometheus.path.resolve())
    await prometheus.stop()
    await prometheus.stop()
    assert not prometheus.alive()
    assert not process.is_running()
    assert left_in(tmp_path) == []
    assert "See you next time" in prometheus.log_tail()


async def test_its_directory_is_in_the_temporary_directory_by_default(binaries):
    prometheus = await start_prometheus(binaries.prometheus.path)
    made = prometheus._scratch.path
    assert made.parent == Path(tempfile.gettempdir())
    await prometheus.stop()
    assert not made.exists()


async def test_broken_rules_end_the_start_with_its_own_words(binaries, rules, tmp_path):
    broken = rules("      - alert: A\n        expr: rate(foo[5m) > 1\n")
    parent = tmp_path / "run"
    parent.mkdir()
    start = time.monotonic()
    with pytest.raises(PrometheusFailed, match="ended with exit code") as error:
        await start_prometheus(binaries.prometheus.path, rule_files=[broken], parent=parent)
    assert time.monotonic() - start < 10
    assert f'{broken}: 5:15: group "g", rule 1, "A": could not parse expression' in str(error.value)
    assert left_in(parent) == []


async def test_a_rule_file_that_is_missing_is_not_silently_no_rules(binaries, tmp_path):
    with pytest.raises(PrometheusFailed, match="no such rule file"):
        await start_prometheus(binaries.prometheus.path, rule_files=[tmp_path / "none.yml"], parent=tmp_path)
    assert left_in(tmp_path) == []


async def test_two_jobs_of_one_name_are_refused(binaries, tmp_path):
    with pytest.raises(PrometheusFailed, match="'prometheus' is there twice"):
        await start_prometheus(binaries.prometheus.path, jobs=[ScrapeJob("prometheus")], parent=tmp_path)


async def test_a_flag_it_does_not_know_is_told(binaries, tmp_path):
    with pytest.raises(PrometheusFailed, match="unknown long flag '--nope'"):
        await start_prometheus(binaries.prometheus.path, flags=["--nope"], parent=tmp_path)


async def test_one_that_is_killed_while_we_wait_is_noticed(tmp_path, until):
    never_ready = tmp_path / "prometheus"
    never_ready.write_text("#!/bin/sh\nwhile :; do read x < /dev/zero; done\n")
    never_ready.chmod(0o755)
    parent = tmp_path / "run"
    parent.mkdir()
    waiting = asyncio.create_task(start_prometheus(never_ready, parent=parent))
    await until(lambda: running("prometheus"))
    (process,) = running("prometheus")
    process.kill()
    with pytest.raises(PrometheusFailed, match="exit code -9"):
        await asyncio.wait_for(waiting, 5)
    assert left_in(parent) == []


async def test_one_that_does_not_get_ready_is_given_up_and_killed(tmp_path):
    deaf = tmp_path / "prometheus"
    deaf.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do read x < /dev/zero; done\n")
    deaf.chmod(0o755)
    with pytest.raises(PrometheusFailed, match=r"not ready after 0\.5 s"):
        await start_prometheus(deaf, timeout_s=0.5, parent=tmp_path)
    assert left_in(tmp_path) == ["prometheus"]
    assert running("prometheus") == []


async def test_giving_up_the_wait_ends_it_too(binaries, tmp_path, until):
    own = psutil.Process()
    before = set(own.children())  # what an earlier test started may still be ending
    starting = asyncio.create_task(start_prometheus(binaries.prometheus.path, parent=tmp_path))
    await until(lambda: set(own.children()) - before)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert set(own.children()) <= before
    assert left_in(tmp_path) == []


async def test_one_that_stopped_listening_to_sigterm_is_killed(binaries, tmp_path):
    prometheus = await start_prometheus(binaries.prometheus.path, parent=tmp_path)
    os.kill(prometheus.pid, signal.SIGSTOP)
    await prometheus.stop(timeout_s=0.2)
    assert not prometheus.alive()
    assert left_in(tmp_path) == []


async def test_one_that_died_is_not_alive_and_can_be_stopped(binaries, tmp_path, until):
    prometheus = await start_prometheus(binaries.prometheus.path, parent=tmp_path)
    os.kill(prometheus.pid, signal.SIGKILL)
    await until(lambda: not prometheus.alive())
    await prometheus.stop()
    assert left_in(tmp_path) == []


async def test_targets_set_after_the_start_are_scraped_at_the_first_occasion(binaries, tmp_path):
    prometheus = await start_prometheus(
        binaries.prometheus.path, jobs=[ScrapeJob("team/model")], scrape_interval_s=0.5, parent=tmp_path
    )
    started = time.monotonic()
    try:
        async with PrometheusApi(prometheus.url) as api:
            prometheus.set_targets("team/model", [prometheus.url.removeprefix("http://")], {"tier": "gold"})
            labels = await _labels_of_targets_that_are_up(api, count=2)
            assert time.monotonic() - started < 9
            assert labels == {"team/model": "gold", "prometheus": None}
            targets = {target.job: target for target in await api.targets()}
            assert targets["team/model"].interval_s == 0.5
            assert targets["team/model"].health == "up"
            with pytest.raises(KeyError):
                prometheus.set_targets("unknown", [])
    finally:
        await prometheus.stop()


async def _labels_of_targets_that_are_up(api: PrometheusApi, count: int) -> dict[str, str | None]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        up = await api.instant("up == 1")
        if len(up) == count:
            return {labels["job"]: labels.get("tier") for labels, _ in up}
        await asyncio.sleep(0.05)
    raise AssertionError("the targets were never up")


CONTROLLER = """
import asyncio, sys
from pathlib import Path
from alertdrill.adapters.prometheus_process import start_prometheus

async def main():
    prometheus = await start_prometheus(Path(sys.argv[1]), parent=Path(sys.argv[2]))
    print(prometheus.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_dies_with_a_controller_that_is_killed_and_the_next_one_cleans_up(binaries, tmp_path, until):
    controller = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CONTROLLER, str(binaries.prometheus.path), str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert controller.stdout
    orphan = int(await asyncio.wait_for(controller.stdout.readline(), 20))
    assert psutil.pid_exists(orphan)
    controller.kill()
    await controller.wait()
    await until(lambda: not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE, 8)
    (left,) = tmp_path.iterdir()
    os.utime(left, (0, 0))
    prometheus = await start_prometheus(binaries.prometheus.path, parent=tmp_path)
    await prometheus.stop()
    assert left_in(tmp_path) == []
