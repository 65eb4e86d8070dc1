"""Users of a team's own locustfile against an https target: real clients of Locust, real certificates."""

from pathlib import Path

import pytest
from tests.integration.certificates import Authority
from tests.integration.load_process import FAULT_GATE, LoadProcess, Target, loading, make_plan, serving

from alertdrill.tls import TlsSettings

BOTH = """
from locust import FastHttpUser, HttpUser, constant, task

class Caller(HttpUser):
    wait_time = constant(0)

    @task
    def predict(self):
        self.client.post("/predict", json={"f1": 1.5}, headers={"X-Client": "requests"})

class FastCaller(FastHttpUser):
    wait_time = constant(0)

    @task
    def predict(self):
        self.client.post("/predict", json={"f1": 1.5}, headers={"X-Client": "gevent"})
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def send(load: LoadProcess) -> dict[str, int]:
    """Run a segment for a while; the requests sent, and those that failed, by kind."""
    await load.saw("ready")
    load.segment(FAULT_GATE)
    await load.saw("sent", 3)
    await load.close(after_s=0.2)
    counts = {"sent": load.of("closed")[0]["sent"]}
    for event in load.of("sent"):
        for kind, count in event["errors"].items():
            counts[kind] = counts.get(kind, 0) + count
    return counts


async def test_the_users_check_and_are_checked_as_the_settings_of_the_target_say(
    authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "50/s")
    file = tmp_path / "users.py"
    file.write_text(BOTH)
    cert, key = authority.client()
    settings = TlsSettings(ca=authority.ca, cert=cert, key=key, server_name="model.test")
    context = authority.server("model.test", asks_for_ours=True)
    async with (
        serving(Target(), context) as target,
        loading(tmp_path, target.url + "/v1", locustfile=file, users=4, tls=settings, authority="model.test") as load,
    ):
        counts = await send(load)
    assert counts == {"sent": len(target.arrived)}
    assert {one.headers[b"x-client"] for one in target.arrived} == {b"requests", b"gevent"}
    assert {one.headers[b"host"] for one in target.arrived} == {b"model.test"}


async def test_the_users_do_not_trust_what_the_settings_of_the_target_do_not(
    authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "50/s")
    file = tmp_path / "users.py"
    file.write_text(BOTH)
    settings = TlsSettings(ca=authority.ca)
    async with (
        serving(Target(), authority.server("other.test")) as target,
        loading(tmp_path, target.url, locustfile=file, users=4, tls=settings) as load,
    ):
        counts = await send(load)
    assert counts == {"sent": counts["sent"], "certificate": counts["sent"]}
    assert counts["sent"] > 10
    assert not target.arrived


async def test_users_that_need_trust_nobody_in_particular_take_any_certificate(
    authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "50/s")
    file = tmp_path / "users.py"
    file.write_text(BOTH)
    async with (
        serving(Target(), authority.server("other.test", expired=True)) as target,
        loading(tmp_path, target.url, locustfile=file, users=4, tls=TlsSettings(verify=False)) as load,
    ):
        counts = await send(load)
    assert counts == {"sent": len(target.arrived)}
    assert {one.headers[b"x-client"] for one in target.arrived} == {b"requests", b"gevent"}
