"""A Prometheus of a team's own behind TLS, logins, tenants and path prefixes: real servers, both of our clients."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from secured_prometheus import BCRYPTED, PASSWORD, USER, secured_prometheus
from tests.integration.certificates import Authority
from tests.integration.gate import demands, gate

from alertdrill.adapters.access import Access
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import UserPrometheus

TOKEN = "tok3n-of-the-team"


def way(folder: Path, url: str, **more: Any) -> Access:
    (folder / "s.yaml").write_text("monitoring: {prometheus: {url: x}}\n")
    prometheus = UserPrometheus.model_validate({"url": url, **more})
    return Access.of(prometheus, ("monitoring", "prometheus"), folder / "s.yaml")


async def ready(api: PrometheusApi) -> None:
    async with asyncio.timeout(20):
        while not await api.ready():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def all_answers(api: PrometheusApi) -> None:
    """Ask by httpx and by requests."""
    await ready(api)
    (group,) = await api.rules()
    assert [rule.name for rule in group.rules] == ["Always"]
    assert await api.instant("vector(1)") == [({}, 1.0)]
    assert abs((await api.clock(1)).offset_s) < 5.0


async def refusals(access: Access) -> list[QueryFailed]:
    """How both clients are refused."""
    found = []
    async with PrometheusApi(access) as api:
        for ask in (api.rules, lambda: api.instant("up")):
            with pytest.raises(QueryFailed) as error:
                await ask()
            found.append(error.value)
    return found


def web_config(authority: Authority, client_certificate: bool) -> str:
    cert, key = authority.files()
    wanted = (
        f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {authority.ca}" if client_certificate else ""
    )
    return f"""
tls_server_config: {{cert_file: {cert}, key_file: {key}, {wanted}}}
basic_auth_users: {{{USER}: "{BCRYPTED}"}}
"""


async def test_a_real_prometheus_with_tls_login_client_certificate_and_prefix_is_read(binaries, tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    cert, key = authority.client()
    monkeypatch.setenv("PROM_PASSWORD", PASSWORD)
    login = {"username": USER, "password": {"env": "PROM_PASSWORD"}}
    tls = {"ca": "ca.pem", "cert": cert.name, "key": key.name}
    async with secured_prometheus(binaries.prometheus.path, web_config(authority, client_certificate=True)) as address:
        url = f"https://{address}"
        async with PrometheusApi(way(tmp_path, url, basic_auth=login, tls=tls)) as api:
            await all_answers(api)
        by_name = url.replace("127.0.0.1", "localhost")
        async with PrometheusApi(
            way(tmp_path, by_name, basic_auth=login, tls={**tls, "server_name": "localhost"})
        ) as api:
            await all_answers(api)
        unchecked = {**tls, "verify": False}
        del unchecked["ca"]
        async with PrometheusApi(way(tmp_path, url, basic_auth=login, tls=unchecked)) as api:
            await all_answers(api)

        for error in await refusals(way(tmp_path, url, basic_auth=login, tls={"ca": "ca.pem"})):
            assert error.kind == "untrusted", error
            assert "a client without certificate" in error.what
            assert "monitoring.prometheus.tls: {cert: FILE, key: FILE}" in error.fix
        for error in await refusals(way(tmp_path, url, basic_auth=login)):
            assert error.kind == "untrusted", error
            assert "monitoring.prometheus.tls: {ca: FILE}" in error.fix
        for error in await refusals(way(tmp_path, url, basic_auth=login, tls={**tls, "server_name": "else.test"})):
            assert "tls.server_name" in error.fix
        for error in await refusals(way(tmp_path, url, tls=tls)):
            assert error.kind == "unauthorized"
            assert "monitoring.prometheus.basic_auth: {username: NAME" in error.fix
        for error in await refusals(way(tmp_path, f"http://{address}", basic_auth=login)):
            assert "https://" in error.fix
        monkeypatch.setenv("PROM_PASSWORD", "wrong-one")
        for error in await refusals(way(tmp_path, url, basic_auth=login, tls=tls)):
            assert "monitoring.prometheus.basic_auth is not allowed in" in error.what
            assert "the variable PROM_PASSWORD" in error.fix
            assert "wrong-one" not in str(error)


async def test_what_the_environment_would_trust_is_not_trusted(binaries, tmp_path, monkeypatch):
    """requests reads REQUESTS_CA_BUNDLE: the two clients must not trust different servers."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca))
    async with secured_prometheus(binaries.prometheus.path, web_config(authority, client_certificate=False)) as address:
        assert {error.kind for error in await refusals(way(tmp_path, f"https://{address}"))} == {"untrusted"}


@pytest.fixture
async def prometheus(binaries, rules):
    file = rules("      - {alert: Always, expr: vector(1)}\n")
    managed = await start_prometheus(binaries.prometheus.path, rule_files=[file])
    yield managed
    await managed.stop()


BEARER = {"WWW_Authenticate": "Bearer"}


@pytest.mark.parametrize(
    ("demanded", "given"),
    [
        (("Authorization", f"Bearer {TOKEN}"), {"bearer_token": {"env": "PROM_TOKEN"}}),
        (("Authorization", f"Bearer {TOKEN}"), {"bearer_token": {"file": "token"}}),
        (("X-Scope-OrgID", "fraud-team"), {"tenant": "fraud-team"}),
        (("X-Api-Key", TOKEN), {"headers": {"X-Api-Key": {"file": "token"}}}),
        (("X-Team", "fraud"), {"headers": {"X-Team": "fraud"}}),
    ],
)
async def test_a_real_proxy_in_front_of_a_real_prometheus_gets_what_it_demands(
    prometheus, tmp_path, monkeypatch, demanded, given
):
    monkeypatch.setenv("PROM_TOKEN", TOKEN)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with gate(prometheus.url, demands(*demanded), "/select/0/prometheus") as door:
        async with PrometheusApi(way(tmp_path, door.url + "/", **given)) as api:
            await all_answers(api)
            await api.settings()
            await api.targets()
        assert door.clients() == {"python-httpx", "python-requests"}
        assert {error.kind for error in await refusals(way(tmp_path, door.url))} == {"unauthorized"}


async def test_a_token_in_a_file_that_rotates_is_the_new_one_with_the_next_request(prometheus, tmp_path):
    (tmp_path / "token").write_text("old-one")
    with gate(prometheus.url, demands("Authorization", "Bearer old-one", **BEARER)) as door:
        access = way(tmp_path, door.url, bearer_token={"file": "token"})
        async with PrometheusApi(access) as api:
            await all_answers(api)
            door.judge = demands("Authorization", "Bearer new-one", says="old-one is no more", **BEARER)
            for ask in (api.rules, lambda: api.instant("up")):
                with pytest.raises(QueryFailed) as error:
                    await ask()
                assert "old-one" not in str(error.value), "nor where the server repeats it"
                assert "the file token" in error.value.fix
            (tmp_path / "token").write_text("new-one")
            await all_answers(api)
            (tmp_path / "token").unlink()
            for ask in (api.rules, lambda: api.instant("up")):
                with pytest.raises(QueryFailed, match="the file token: No such file"):
                    await ask()


@pytest.mark.parametrize(
    ("answer", "given", "fix"),
    [
        ((401, {}, ""), {}, "monitoring.prometheus.bearer_token: {env: NAME}, or basic_auth: "),
        ((401, {"WWW_Authenticate": "Basic realm=x"}, ""), {}, "monitoring.prometheus.basic_auth: {username: NAME"),
        ((401, BEARER, ""), {}, "monitoring.prometheus.bearer_token: {env: NAME}"),
        ((401, {}, "no org id"), {}, "monitoring.prometheus.tenant: NAME"),
        ((401, {"WWW_Authenticate": "Basic realm=x"}, ""), {"bearer_token": {"env": "T"}}, "basic_auth: {username"),
        ((403, {}, "no"), {"bearer_token": {"env": "T"}}, "the variable T"),
    ],
)
async def test_a_refusal_names_the_option_that_would_help(tmp_path, monkeypatch, answer, given, fix):
    monkeypatch.setenv("T", TOKEN)
    with gate("http://127.0.0.1:9", lambda _: answer) as door:
        for error in await refusals(way(tmp_path, door.url, **given)):
            assert error.kind == "unauthorized"
            assert fix in error.fix


@pytest.mark.parametrize(
    ("given", "got"),
    [
        ({"bearer_token": {"env": "NOT_SET"}}, "the variable NOT_SET, which is not set"),
        ({"bearer_token": {"file": "nowhere"}}, "the file nowhere: No such file"),
        ({"bearer_token": {"file": "empty"}}, "the file empty, which is empty"),
        ({"headers": {"X-Api-Key": {"file": "lines"}}}, "more than one line"),
        ({"url": "https://127.0.0.1:1", "tls": {"ca": "empty"}}, "a file without any"),
    ],
)
def test_a_secret_that_cannot_be_read_is_told_before_anything_is_asked(tmp_path, given, got):
    (tmp_path / "empty").touch()
    (tmp_path / "lines").write_text("one\ntwo")
    with pytest.raises(BadInput, match=got):
        way(tmp_path, **{"url": "http://127.0.0.1:1", **given})
