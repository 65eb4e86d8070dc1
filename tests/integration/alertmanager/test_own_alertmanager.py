"""The user's own Alertmanager: what is read of it, and the silence of a drill, with a real one."""

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.integration.alertmanager.stand_in import post
from tests.integration.gate import Headers, Verdict, gate
from tests.integration.prometheus.wrong_servers import answering, http

from alertdrill.adapters.alertmanager_api import AlertmanagerApi, AskFailed
from alertdrill.adapters.alertmanager_process import start_alertmanager
from alertdrill.adapters.journal_file import JournalFile
from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import start_prometheus
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.compose.notification import open_notification, read_own, spare_people
from alertdrill.core import journal as records
from alertdrill.core.errors import BadInput
from alertdrill.core.matchers import Matcher
from alertdrill.core.observations import RuleGroup, RuleInfo
from alertdrill.core.scope import RuleBook

CONFIG = """
route: {receiver: people, group_by: ['...'], group_wait: 0s}
receivers: [{name: people}]
inhibit_rules: [{source_matchers: [alertname="Outage"], target_matchers: [alertname="B"]}]
"""
BOOK = RuleBook.of([])


def scenario(directory: Path, url: str, more: str = "", receiver: str = "people") -> Path:
    path = directory / "s.yaml"
    path.write_text(
        "version: 1\nname: spared\ntarget: {bundled: fraud}\nload: {rate: 10/s}\n"
        f"monitoring: {{alertmanager: {{url: {url}}}{more}}}\n"
        "phases:\n  - name: nulls\n    duration: 10s\n"
        "    faults: [{kind: nulls, features: [amount], share: 20%}]\n"
        f"    expect: [{{alert: A, within: 10s, notifies: {{within: 10s, receiver: {receiver}}}}}]\n"
    )
    return path


TEAMLESS = RuleGroup(
    *("rules.yml", "g", 1.0, None),
    tuple(RuleInfo(name, "alerting", "up == 0", 0.0, 0.0, {}, {}, "ok", "") for name in ("Slow", "Queue")),
)
"""Rules that do not say whose they are; their series do."""


def _second_silence_fails() -> Callable[[Headers], Verdict]:
    """Only posts have a body, and only silences are posted."""
    posts = itertools.count(1)

    def judge(headers: Headers) -> Verdict:
        return (500, {}, "full") if "Content-Type" in headers and next(posts) == 2 else None

    return judge


class Running:
    """A drill that has begun with an Alertmanager of the user's own."""

    def __init__(self, directory: Path, url: str, more: str = "", groups: Sequence[RuleGroup] = ()) -> None:
        self.book = RuleBook.of(groups)
        self.path = scenario(directory, url, more)
        self.journal = JournalFile(directory / "journal.jsonl")
        self.said: list[str] = []

    async def begin(self, stack: AsyncExitStack) -> Any:
        drill = load_scenario(self.path)
        own = await read_own(drill, self.path, stack)
        notification = await open_notification(drill, None, own, "r1", stack)
        stack.callback(self.journal.close)
        stack.push_async_callback(notification.end, self.said.append)
        await notification.begin(self.journal, self.book, "r1", 30.0, 5.0)
        return notification

    def of(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.journal.records if isinstance(one, kind)]


@pytest.fixture
async def own(alertmanager):
    managed = await start_alertmanager(alertmanager, CONFIG)
    async with AlertmanagerApi(managed.url) as api:
        yield api
    await managed.stop(1.0)


DRILLED = {"alertname": "A", "alertdrill_run": "r1"}


async def test_our_silence_spares_people_from_before_the_drill_to_its_end(own, tmp_path, until):
    running = Running(tmp_path, own.url)
    async with AsyncExitStack() as stack:
        notification = await running.begin(stack)
        (ours,) = running.of(records.Silence)
        silence = await own.silence(ours.id)
        assert silence.active
        assert "spared" in silence.comment
        assert 30.0 < silence.ends_at - time.time() < 400.0
        assert notification.labels == {"alertdrill_run": "r1"}
        post(own.url, DRILLED)
        await until(lambda: running.of(records.Accepted))
        (accepted,) = running.of(records.Accepted)
        assert (accepted.state, accepted.silenced_by, accepted.receivers) == ("suppressed", (ours.id,), ("people",))
        post(own.url, DRILLED, lasts_s=0.0)
    assert not (await own.silence(ours.id)).active
    assert running.said == []


async def test_alerts_that_only_labels_of_their_series_put_in_scope_reach_nobody_either(own, tmp_path, until):
    """Their labels show when they fire: nobody can know their names before."""
    by_label = ", prometheus: {url: 'http://127.0.0.1:9'}, scope: {labels: {team: fraud}}"
    running = Running(tmp_path, own.url, by_label, [TEAMLESS])
    states = {}
    async with AsyncExitStack() as stack:
        await running.begin(stack)
        silences = running.of(records.Silence)
        assert [one.matchers for one in silences] == [
            ('alertname=~"A"',),
            ('alertname=~"Queue|Slow"', 'team="fraud"'),
        ]
        post(own.url, *({"alertname": name, "team": team} for name in ("Slow", "Other") for team in ("fraud", "risk")))

        async def seen() -> bool:
            found = await own.alerts(None)
            states.update({(one.labels["alertname"], one.labels["team"]): one.state for one in found})
            return len(states) == 4 and "unprocessed" not in states.values()

        deadline = time.monotonic() + 10.0
        while not await seen():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        post(own.url, {"alertname": "Slow", "team": "fraud"}, lasts_s=0.0)
    reached = {key for key, state in states.items() if state == "active"}
    assert reached == {("Slow", "risk"), ("Other", "fraud"), ("Other", "risk")}, "out of scope, or of other places"
    assert not any([(await own.silence(one.id)).active for one in silences])
    assert running.said == []


async def test_a_silence_that_cannot_be_set_leaves_none_behind(own, tmp_path):
    by_label = ", prometheus: {url: 'http://127.0.0.1:9'}, scope: {labels: {team: fraud}}"
    with gate(own.url, _second_silence_fails()) as door:
        running = Running(tmp_path, door.url, by_label, [TEAMLESS])
        with pytest.raises(BadInput, match="can be silenced"):
            async with AsyncExitStack() as stack:
                await running.begin(stack)
    (first,) = running.of(records.Silence)
    assert not (await own.silence(first.id)).active


async def test_a_drill_that_ends_amid_its_alerts_spares_people_until_they_are_over(own, tmp_path, until):
    running = Running(tmp_path, own.url)
    async with AsyncExitStack() as stack:
        await running.begin(stack)
        post(own.url, DRILLED, lasts_s=100.0)
        await until(lambda: running.of(records.Accepted))
    (alert,) = await own.alerts(["A"])
    (still,) = alert.silenced_by
    lasts_s = (await own.silence(still)).ends_at - time.time()
    assert 100.0 < lasts_s < 120.0, "as long as the alert lasts without being posted again, and a little"
    assert "A still active" in running.said[0]


async def test_the_silence_that_a_drill_left_behind_is_told_apart_from_those_of_people(own, tmp_path, until):
    labels = {"alertname": "A"}
    by_name = ", prometheus: {url: 'http://127.0.0.1:9'}"
    first, second = Running(_new(tmp_path / "one"), own.url, by_name), Running(_new(tmp_path / "two"), own.url, by_name)
    async with AsyncExitStack() as stack:
        await first.begin(stack)
        post(own.url, labels)
        await until(lambda: first.of(records.Accepted))
    async with AsyncExitStack() as stack:
        await second.begin(stack)
        await until(lambda: second.of(records.Accepted))
    (ours,) = [one for one in second.of(records.Silence) if one.ours]
    (left,) = [one for one in second.of(records.Silence) if not one.ours]
    assert left.id in first.said[0]
    assert (ours.created_by, left.created_by) == ("alertdrill", "alertdrill")
    assert set(second.of(records.Accepted)[0].silenced_by) == {ours.id, left.id}


def _new(directory: Path) -> Path:
    directory.mkdir()
    return directory


async def test_an_unknown_receiver_is_found_where_the_file_has_it_beside_match_all(own, tmp_path):
    path = scenario(tmp_path, own.url, receiver="peple")
    text = path.read_text().replace("[amount]", "[amount, hour]")
    path.write_text(text.replace("expect: [", "expect: [{alert: C, match: all, within: 10s}, "))
    command = [sys.executable, "-m", "alertdrill", "run", str(path), "--results", str(tmp_path / "results")]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2, done.stdout
    assert "s.yaml:10:" in done.stdout
    assert "phases[0].expect[1].notifies.receiver" in done.stdout
    assert "fix: write people" in done.stdout


async def test_live_drills_set_no_silence(own, tmp_path):
    running = Running(tmp_path, own.url, ", notify: live")
    async with AsyncExitStack() as stack:
        await running.begin(stack)
        assert running.of(records.Silence) == []


async def test_a_foreign_silence_and_what_inhibits_are_named(own, tmp_path, until):
    now = time.time()
    silenced = Matcher("alertname", "=", "A")
    foreign = await own.set_silence([silenced], now - 9, now + 600, "alice", "maintenance")
    running = Running(tmp_path, own.url, ", notify: live, scope: {alerts: [B]}")
    async with AsyncExitStack() as stack:
        notification = await running.begin(stack)
        notification._watch._names = ("A", "B")
        post(own.url, {"alertname": "A"}, {"alertname": "B"}, {"alertname": "Outage", "who": "me"})
        await until(lambda: len(running.of(records.Accepted)) == 2)
    (silence,) = running.of(records.Silence)
    assert (silence.id, silence.created_by, silence.comment, silence.ours) == (foreign, "alice", "maintenance", False)
    by_name = {one.labels["alertname"]: one for one in running.of(records.Accepted)}
    assert by_name["A"].silenced_by == (foreign,)
    assert by_name["B"].inhibited_by == ({"alertname": "Outage", "who": "me"},)


async def test_a_receiver_that_no_route_leads_to_is_refused_with_the_nearest(own, tmp_path):
    path = scenario(tmp_path, own.url, receiver="peopel")
    async with AsyncExitStack() as stack:
        with pytest.raises(BadInput, match="fix: write people") as error:
            await read_own(load_scenario(path), path, stack)
    assert error.value.mistakes[0].line == 10


async def test_a_prometheus_that_posts_where_people_are_told_is_not_drilled_unless_that_is_meant(own, tmp_path):
    async with AsyncExitStack() as stack:
        program = ensure_prometheus().prometheus.path
        prometheus = await start_prometheus(program, alertmanagers=[own.url.removeprefix("http://")])
        stack.push_async_callback(prometheus.stop, 1.0)
        api = await stack.enter_async_context(PrometheusApi(prometheus.url))
        deadline = time.monotonic() + 20.0  # it looks at its list 5 s after its start
        while await api.alertmanagers() != [own.url]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

        async def spared(monitoring: str) -> tuple[str, ...]:
            path = scenario(tmp_path, own.url)
            url = f"prometheus: {{url: {prometheus.url}}}{monitoring}"
            text = path.read_text().replace(f"alertmanager: {{url: {own.url}}}", url)
            path.write_text(text.replace(", notifies: {within: 10s, receiver: people}", ""))
            drill = load_scenario(path)
            return await spare_people(drill, path, await read_own(drill, path, stack), [api], BOOK)

        with pytest.raises(BadInput) as error:
            await spared("")
        (mistake,) = error.value.mistakes
        assert own.url in mistake.got
        assert mistake.fix.startswith(f"add alertmanager: {{url: {own.url}}}")
        assert await spared(", notify: live") == ()
        said = await spared(f", alertmanager: {{url: {own.url}}}")
        assert 'one silence on alertname=~"A"' in said[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http(401, b"who?"), "not allowed"),
        (http(403, b"no"), "not allowed"),
        (http(404, b"404 page not found"), "it answers 404"),
        (http(302, b"", location="/login"), "it answers 302"),
        (http(500, b"oops"), "it answers 500: oops"),
        (http(200, b"<html>", "text/html"), "not Alertmanager's JSON"),
        (http(200, b'{"status": "success"}', "application/json"), "not what Alertmanager would say"),
        (b"\x16\x03garbage", "does not speak HTTP"),
        (b"", "does not speak HTTP"),
    ],
)
async def test_whatever_answers_otherwise_is_no_alertmanager_and_the_message_says_why(tmp_path, answer, said):
    async with answering(answer) as url, AsyncExitStack() as stack:
        path = scenario(tmp_path, url)
        with pytest.raises(BadInput) as error:
            await read_own(load_scenario(path), path, stack)
    assert said in error.value.mistakes[0].got
    assert error.value.mistakes[0].fix


async def test_nobody_there_is_said(tmp_path):
    async with AlertmanagerApi("http://127.0.0.1:9") as api:
        with pytest.raises(AskFailed, match="cannot be reached: Connection refused"):
            await api.status()


async def test_one_that_takes_too_long_is_said():
    async with answering(b"HTTP/1.1 200 OK\r\n", then_hang=True) as url, AlertmanagerApi(url, timeout_s=0.2) as api:
        with pytest.raises(AskFailed, match=r"no answer within 0\.2 s"):
            await api.alerts(["A"])
