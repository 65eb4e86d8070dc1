"""An Alertmanager of a team's own behind a login: read by us, and posted to by a Prometheus that we manage."""

import asyncio
import base64
import time
from pathlib import Path
from typing import Any

import pytest
from tests.integration.certificates import Authority
from tests.integration.gate import demands, gate

from alertdrill.adapters.access import Access
from alertdrill.adapters.alertmanager_api import AlertmanagerApi, AskFailed
from alertdrill.adapters.alertmanager_process import start_alertmanager
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.core.matchers import Matcher
from alertdrill.core.scenario import UserAlertmanager

CONFIG = "{route: {receiver: people}, receivers: [{name: people}]}"
# On and off: a Prometheus posts at a transition, and knows its Alertmanagers only 5 s after its start.
RULES = "groups: [{name: g, interval: 200ms, rules: [{alert: Flipping, expr: vector(time() % 4) < 2}]}]"
TOKEN = "tok3n-of-the-team"
BASIC = base64.b64encode(f"me:{TOKEN}".encode()).decode()


def way(folder: Path, url: str, **more: Any) -> Access:
    (folder / "s.yaml").write_text("monitoring: {}\n")
    alertmanager = UserAlertmanager.model_validate({"url": url, **more})
    return Access.of(alertmanager, ("monitoring", "alertmanager"), folder / "s.yaml")


@pytest.fixture
async def own(alertmanager):
    managed = await start_alertmanager(alertmanager, CONFIG)
    yield managed.url
    await managed.stop(1.0)


@pytest.mark.parametrize(
    ("value", "given"),
    [
        (f"Bearer {TOKEN}", {"bearer_token": {"env": "AM_TOKEN"}}),
        (f"Basic {BASIC}", {"basic_auth": {"username": "me", "password": {"file": "token"}}}),
    ],
)
async def test_it_is_read_silenced_and_posted_to_behind_tls_a_login_and_a_prefix(
    own, tmp_path, monkeypatch, value, given
):
    monkeypatch.setenv("AM_TOKEN", TOKEN)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "rules.yml").write_text(RULES)
    authority = Authority(tmp_path)
    with gate(own, demands("Authorization", value), "/am", authority.server()) as door:
        access = way(tmp_path, door.url, tls={"ca": "ca.pem"}, **given)
        program = ensure_prometheus().prometheus.path
        prometheus = await start_prometheus(program, rule_files=[tmp_path / "rules.yml"], alertmanagers=[access])
        try:
            async with AlertmanagerApi(access) as api:
                assert (await api.status()).version
                now = time.time()
                silence = await api.set_silence([Matcher("alertname", "=", "Flipping")], now, now + 60, "me", "why")
                async with asyncio.timeout(20):
                    while not await api.alerts(["Flipping"]):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                await api.expire_silence(silence)
            folder = prometheus._scratch.path
            configured = "".join(path.read_text() for path in folder.glob("*.yml"))
            assert TOKEN not in configured
            (shown,) = [*folder.glob("shown-*")] if "env" in str(given) else [None]
            assert shown is None or shown.stat().st_mode & 0o077 == 0
        finally:
            await prometheus.stop(1.0)
        assert {client for _, _, client in door.passed if client.startswith("Prometheus")}


async def test_a_login_that_it_does_not_take_is_told_with_its_option(own, tmp_path, monkeypatch):
    monkeypatch.setenv("AM_TOKEN", "another")
    with gate(own, demands("Authorization", f"Bearer {TOKEN}", says="not another")) as door:
        async with AlertmanagerApi(way(tmp_path, door.url)) as api:
            with pytest.raises(AskFailed, match=r"monitoring\.alertmanager\.bearer_token: \{env: NAME\}"):
                await api.status()
        async with AlertmanagerApi(way(tmp_path, door.url, bearer_token={"env": "AM_TOKEN"})) as api:
            with pytest.raises(AskFailed, match="the variable AM_TOKEN holds what may read and set silences") as error:
                await api.status()
            assert "another" not in str(error.value)
            monkeypatch.delenv("AM_TOKEN")
            with pytest.raises(AskFailed, match="the variable AM_TOKEN, which is not set"):
                await api.status()


async def test_one_whose_certificate_nobody_knows_is_told_with_its_option(own, tmp_path):
    with gate(own, lambda _: None, context=Authority(tmp_path).server()) as door:
        async with AlertmanagerApi(way(tmp_path, door.url)) as api:
            with pytest.raises(AskFailed, match=r"monitoring\.alertmanager\.tls: \{ca: FILE\}"):
                await api.status()
