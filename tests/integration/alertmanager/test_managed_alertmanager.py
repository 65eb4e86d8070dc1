import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.integration.alertmanager.stand_in import STARTS_AT_MS, post

from alertdrill.adapters import debian_packages
from alertdrill.adapters.alertmanager_binary import Alertmanager
from alertdrill.adapters.alertmanager_config import MINIMAL, read_config
from alertdrill.adapters.alertmanager_install import arranged_proot, obtain_alertmanager
from alertdrill.adapters.alertmanager_process import AlertmanagerFailed, start_alertmanager
from alertdrill.adapters.alertmanager_way import Way, by_proot, namespace, works
from alertdrill.adapters.alertmanager_witness import MailWitness, WebhookWitness
from alertdrill.adapters.amtool import checked_config
from alertdrill.adapters.debian_packages import Packages
from alertdrill.core.errors import BadInput
from alertdrill.core.journal import Delivered

TEAM = """
global: {smtp_smarthost: 'smtp.invalid:587', smtp_from: alerts@example.com, smtp_auth_password: p}
route:
  receiver: mail.team
  group_by: ['...']
  group_wait: 0s
  routes: [{matchers: [severity="P1"], receiver: pager, continue: true}, {receiver: mail.team}]
receivers:
  - name: pager
    pagerduty_configs: [{routing_key: abc, url: 'http://pager.invalid'}]
  - name: mail.team
    email_configs: [{to: 'team@example.com, boss@example.com', html: '{{ template "email.default.html" . }}'}]
"""
RUN = """
import asyncio, sys
from alertdrill.adapters.alertmanager_config import MINIMAL
from alertdrill.adapters.alertmanager_process import start_alertmanager
from tests.integration.alertmanager.test_managed_alertmanager import this_machines
async def main():
    managed = await start_alertmanager(this_machines(sys.argv[1]), MINIMAL)
    print(managed.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def this_machines(proot: str) -> Alertmanager:
    """The Alertmanager of this machine, run by a proot if one is named."""
    from alertdrill.adapters.alertmanager_install import ensure_alertmanager

    found = ensure_alertmanager()
    return Alertmanager(found.program, found.amtool, traced(found, Path(proot))) if proot else found


def traced(found: Alertmanager, proot: Path) -> Way:
    """The way by proot, of a copy from our cache."""
    return by_proot(found.program.path.with_name("share"), proot)[-1]


@pytest.fixture(scope="session")
def proot(alertmanager, tmp_path_factory) -> Path:
    """A proot that was unpacked without root."""
    if not debian_packages.available() or alertmanager.program.source != "cache":
        pytest.skip("proot is for what apt unpacked")
    work = tmp_path_factory.mktemp("proot")
    packages = Packages(work, lambda line: None)
    packages.unpack_with_needs("proot")
    return arranged_proot(packages.unpacked, work / "arranged")


async def deliveries(found: Alertmanager, until) -> list[Delivered]:
    """What reached the receivers of a team's configuration of one alert."""
    config, got = read_config(TEAM, Path()), []
    receivers = tuple(config.routing.receivers)
    async with WebhookWitness(receivers, got.append) as hook, MailWitness(receivers, got.append) as mail:
        managed = await start_alertmanager(found, config.rewritten(hook.url, mail.address))
        try:
            post(managed.url, {"alertname": "Ä & b=c;", "severity": "P1", "feature": "x y"})
            await until(lambda: len(got) == 2)
        finally:
            await managed.stop(1.0)
        assert not managed.alive()
    return got


def check(got: list[Delivered]) -> None:
    hook, mail = sorted(got, key=lambda one: one.receiver, reverse=True)
    assert (hook.receiver, hook.integration) == ("pager", "pagerduty")
    assert (mail.receiver, mail.integration) == ("mail.team", "email")
    assert mail.to == ("team@example.com", "boss@example.com")
    for one in got:
        assert one.labels == {"alertname": "Ä & b=c;", "severity": "P1", "feature": "x y"}
        assert (one.status, one.starts_at_ms) == ("firing", STARTS_AT_MS)


async def test_every_receiver_of_a_team_is_ours_and_no_other_is_told(alertmanager, until):
    check(await deliveries(alertmanager, until))


async def test_so_it_is_where_proot_has_to_run_it(alertmanager, proot, until):
    way = traced(alertmanager, proot)
    assert works(way)
    check(await deliveries(Alertmanager(alertmanager.program, alertmanager.amtool, way), until))


def test_a_directory_without_templates_is_no_way(tmp_path):
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "zoneinfo").mkdir()
    assert not works(namespace(tmp_path))


async def test_it_leaves_nothing(alertmanager, tmp_path):
    managed = await start_alertmanager(alertmanager, MINIMAL, parent=tmp_path)
    process = psutil.Process(managed.pid)
    await managed.stop()
    await managed.stop()
    assert not process.is_running()
    assert [*tmp_path.iterdir()] == []


async def test_what_it_does_not_accept_ends_its_start_with_its_own_words(alertmanager, tmp_path):
    with pytest.raises(AlertmanagerFailed, match="undefined receiver") as error:
        await start_alertmanager(alertmanager, "route: {receiver: a}\nreceivers: [{name: b}]\n", parent=tmp_path)
    assert error.value.exit_code == 2
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("way", ["its own way", "proot"])
async def test_it_dies_with_us_even_by_sigkill(alertmanager, way, request, until):
    by = str(request.getfixturevalue("proot")) if way == "proot" else ""
    process = subprocess.Popen([sys.executable, "-c", RUN, by], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    with process.stdout as said:
        first = psutil.Process(int(said.readline()))
        started = [first, *first.children(recursive=True)]
        assert "alertmanager" in [one.name() for one in started]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10.0)
    await until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in started))


def test_amtool_reads_a_team_file_and_names_the_line_of_a_mistake(alertmanager, tmp_path):
    file = tmp_path / "alertmanager.yml"
    file.write_text(TEAM)
    assert checked_config(alertmanager.amtool.path, file).routing.reached({"severity": "P1"}) == ("pager", "mail.team")
    file.write_text(TEAM.replace("group_wait", "group_wiat"))
    with pytest.raises(BadInput) as error:
        checked_config(alertmanager.amtool.path, file)
    (mistake,) = error.value.mistakes
    assert (mistake.line, mistake.file) == (6, str(file))
    assert "field group_wiat not found" in mistake.got


def test_a_configuration_that_is_not_there_is_said(alertmanager, tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        checked_config(alertmanager.amtool.path, tmp_path / "none.yml")


async def test_what_is_no_notification_is_refused_and_the_next_is_taken(until):
    got: list[Delivered] = []
    async with MailWitness(("a",), got.append) as mail, WebhookWitness(("a",), got.append) as hook:
        import httpx

        async with httpx.AsyncClient() as client:
            for path, body in (("/0/slack", b"[]"), ("/7/slack", b'{"alerts": []}'), ("/x", b"{}"), ("/0/x", b"{")):
                assert (await client.post(hook.url + path, content=body)).status_code == 400
            assert (await client.post(f"{hook.url}/0/slack", json={"alerts": []})).status_code == 200
        host, port = mail.address.split(":")
        code = await asyncio.to_thread(_send_mail, host, int(port))
    assert (hook.refused, mail.refused, code, got) == (4, 1, 554, [])


def _send_mail(host: str, port: int) -> int:
    import smtplib

    with smtplib.SMTP(host, port, timeout=5.0) as client:
        try:
            client.sendmail("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\nhello\r\n")
        except smtplib.SMTPDataError as error:
            return error.smtp_code
    return 250


@pytest.mark.skipif(not debian_packages.available(), reason="no apt here")
def test_a_broken_copy_in_the_cache_is_replaced_by_one_that_runs(alertmanager, tmp_path):
    broken = tmp_path / alertmanager.program.version_text
    broken.mkdir()
    (broken / "alertmanager").write_text("#!/bin/sh\nexit 1\n")
    (broken / "alertmanager").chmod(0o755)
    found = obtain_alertmanager(tmp_path)
    assert found.program.path.parent == tmp_path / found.program.version_text
    assert found.way.name in ("as it is", "in a user namespace", "by proot")
