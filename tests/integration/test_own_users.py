"""Users of a team's own locustfile in step with the plan: real load processes, real sockets."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_process import (
    FAULT_GATE,
    FAULT_PHASE,
    OK,
    SCHEMA,
    Arrived,
    LoadProcess,
    Peer,
    Target,
    group,
    loading,
    make_plan,
    payload_sha256,
    serving,
    until,
)

from alertdrill.core.plan import Plan

ROW = {**{f"f{n}": n + 0.5 for n in range(8)}, "count": 3, "colour": "red"}
HEAD = """
import itertools, json
from locust import FastHttpUser, HttpUser, constant, task

numbers = itertools.count()
ROW = {**{f"f{n}": n + 0.5 for n in range(8)}, "count": 3, "colour": "red"}

def row():
    return {**ROW, "count": next(numbers), "session": "abc"}
"""
HTTP = """
class Caller(HttpUser):
    wait_time = constant(0)

    def on_start(self):
        self.client.post("/login", json={"name": "team"}, headers={"X-Login": "1"})

    @task
    def predict(self):
        self.client.post("/predict", json=row(), headers={"X-Team": "theirs"})

    def on_stop(self):
        self.client.post("/logout")
"""
FAST = """
class FastCaller(FastHttpUser):
    wait_time = constant(0)

    @task
    def predict(self):
        self.client.post("/predict", data=json.dumps(row()), headers={"Content-Type": "application/json"})
"""


def write_users(folder: Path, text: str) -> Path:
    """Write a locustfile."""
    file = folder / "users.py"
    file.write_text(text)
    return file


async def run_phase(load: LoadProcess, seconds: float, *segments: int) -> dict[int, dict[str, Any]]:
    """Run segments one after the other; what the load says of each at its end."""
    await load.saw("ready")
    for k in segments:
        load.segment(k)
        await asyncio.sleep(seconds + 0.2)
    await load.close()
    return {event["k"]: event for event in load.of("closed")}


async def drill(
    folder: Path,
    users: str,
    segments: Sequence[int],
    seconds: float = 1.0,
    target: Target | None = None,
    count: int = 8,
) -> tuple[Target, LoadProcess, dict[int, dict[str, Any]]]:
    """Segments of the plan in `folder` with some users."""
    file = write_users(folder, HEAD + users)
    async with serving(target or Target()) as server, loading(folder, server.url, locustfile=file, users=count) as load:
        closed = await run_phase(load, seconds, *segments)
        return server, load, closed


def predictions(target: Target, k: int) -> list[Arrived]:
    """Requests of a segment as they came, in order of their numbers."""
    return sorted((one for one in target.arrived if one.k == k), key=lambda one: one.i)


@pytest.mark.parametrize("users", [HTTP, FAST], ids=["HttpUser", "FastHttpUser"])
async def test_untouched_requests_are_those_that_the_users_built_each_at_its_planned_time(
    tmp_path: Path, users: str
) -> None:
    make_plan(tmp_path, "50/s")

    target, _, closed = await drill(tmp_path, users, [FAULT_GATE])

    came = predictions(target, FAULT_GATE)
    told = closed[FAULT_GATE]
    assert told["sent"] == told["scheduled"] == len(came) >= 45
    assert [one.i for one in came] == list(range(len(came)))
    built = [json.dumps({**ROW, "count": json.loads(one.body)["count"], "session": "abc"}).encode() for one in came]
    if users is HTTP:
        assert {one.headers[b"x-team"] for one in came} == {b"theirs"}
    assert [one.body for one in came] == built
    assert {one.headers[b"x-alertdrill-run"] for one in came} == {b"run-1"}
    assert {one.headers[b"content-type"] for one in came} == {b"application/json"}
    assert told["error_p99_s"] < 0.1
    assert told["answered"] + told["in_flight"] == told["sent"]
    assert told["payload_sha256"] == [payload_sha256(built)]


async def test_other_calls_of_the_users_pass_uncounted(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")

    target, _, closed = await drill(tmp_path, HTTP, [FAULT_GATE], count=5)

    others = [one for one in target.arrived if one.k == -1]
    assert [one.url for one in others] == [b"/login"] * 5 + [b"/logout"] * 5
    assert all(b"x-alertdrill-run" not in one.headers for one in others)
    assert closed[FAULT_GATE]["sent"] == len(target.arrived) - 10


@pytest.mark.parametrize("users", [HTTP, FAST], ids=["HttpUser", "FastHttpUser"])
async def test_faults_touch_the_picked_requests_and_nothing_else_in_them(tmp_path: Path, users: str) -> None:
    faults = [
        {"kind": "nulls", "features": ["f1"], "share": "40%"},
        {"kind": "extra_field", "share": "30%"},
    ]
    plan = make_plan(tmp_path, "50/s", faults=faults)

    target, load, _ = await drill(tmp_path, users, [FAULT_PHASE], 1.5)

    came = {one.i: one for one in predictions(target, FAULT_PHASE)}
    picked = {name: numbers(load, "picked", name) for name in injections(plan)}
    touched = {name: numbers(load, "touched", name) for name in injections(plan)}
    assert picked == touched
    nulls, extra = touched["broken/nulls"], touched["broken/extra_field"]
    assert len(nulls) > 15
    assert nulls & extra
    for i, one in came.items():
        clean = json.dumps({**ROW, "count": json.loads(one.body)["count"], "session": "abc"}).encode()
        with_null = clean.replace(b'"f1": 1.5', b'"f1": null')
        if i in extra:
            assert json.loads(one.body).items() > json.loads(with_null if i in nulls else clean).items()
        else:
            assert one.body == (with_null if i in nulls else clean)
        assert one.headers[b"content-type"] == b"application/json"
    answered = group(load.of("answered"), "broken/nulls")
    assert set(answered) == nulls
    assert {one["code"] for several in answered.values() for one in several} == {200}


def injections(plan: Plan) -> list[str]:
    """Names of the injections of a plan."""
    return [one.id for one in plan.injections]


def numbers(load: LoadProcess, event: str, injection: str) -> set[int]:
    """The requests of which events of one kind tell."""
    return {i for one in load.of(event) if one["injection"] == injection for i in one["i"]}


async def test_a_slice_is_picked_by_what_the_users_send(tmp_path: Path) -> None:
    fault = {"kind": "nulls", "features": ["f1"], "share": "100%", "where": {"count": "< 20"}}
    make_plan(tmp_path, "50/s", faults=[fault])

    target, load, _ = await drill(tmp_path, HTTP, [FAULT_PHASE])

    came = predictions(target, FAULT_PHASE)
    low = {one.i for one in came if json.loads(one.body)["count"] < 20}
    assert numbers(load, "picked", "broken/nulls") == numbers(load, "touched", "broken/nulls") == low
    assert {one.i for one in came if json.loads(one.body)["f1"] is None} == low


async def test_bodies_that_are_no_rows_are_picked_and_not_touched(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s", faults=[{"kind": "nulls", "features": ["f1"], "share": "50%"}])
    wrapped = HTTP.replace("json=row()", 'json={"instances": [row()]}')

    target, load, _ = await drill(tmp_path, wrapped, [FAULT_PHASE])

    assert len(numbers(load, "picked", "broken/nulls")) > 10
    assert not load.of("touched")
    assert all(b"null" not in one.body for one in target.arrived)


async def test_suppressed_arrivals_take_no_request_of_the_users(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s", faults=[{"kind": "traffic_loss", "share": "50%"}])

    target, load, closed = await drill(tmp_path, FAST, [FAULT_PHASE])

    told = closed[FAULT_PHASE]
    lost = numbers(load, "touched", "broken/traffic_loss")
    came = {one.i for one in predictions(target, FAULT_PHASE)}
    assert told["suppressed"] == len(lost) > 10
    assert told["scheduled"] == told["sent"] + told["suppressed"]
    assert came | lost == set(range(told["scheduled"]))
    assert not came & lost
    assert told["error_p99_s"] < 0.1


async def test_users_that_are_too_slow_make_sends_late(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    slow = HTTP.replace("constant(0)", "constant(0.2)")

    _, load, closed = await drill(tmp_path, slow, [FAULT_GATE], count=2)

    told = closed[FAULT_GATE]
    assert told["sent"] < told["scheduled"] / 2
    assert told["error_max_s"] > 0.2
    assert any(event["late"] for event in load.of("sent"))


@pytest.mark.parametrize("users", [HTTP, FAST], ids=["HttpUser", "FastHttpUser"])
async def test_requests_without_an_answer_are_counted_by_what_kept_it_away(tmp_path: Path, users: str) -> None:
    def answer(peer: Peer, request: Arrived) -> None:
        if request.k == FAULT_GATE and request.i % 3 == 1:
            peer.transport.abort()
        elif request.k == FAULT_GATE and request.i % 3 == 2:
            peer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")
        else:
            peer.write(OK)

    make_plan(tmp_path, "30/s")

    target, load, closed = await drill(tmp_path, users, [FAULT_GATE], target=Target(answer))

    codes: dict[str, int] = {}
    errors: dict[str, int] = {}
    for event in load.of("sent"):
        for found, name in ((codes, "codes"), (errors, "errors")):
            for key, count in event[name].items():
                found[key] = found.get(key, 0) + count
    told = closed[FAULT_GATE]
    assert codes.keys() == {"200", "503"}
    assert errors.keys() <= {"reset", "closed"}
    assert sum(errors.values()) == sum(1 for one in target.arrived if one.k == FAULT_GATE and one.i % 3 == 1) > 5
    assert sum(codes.values()) + sum(errors.values()) == told["sent"]


@pytest.mark.parametrize("users", [HTTP, FAST], ids=["HttpUser", "FastHttpUser"])
async def test_a_user_without_an_answer_gives_up_in_time(tmp_path: Path, users: str) -> None:
    make_plan(tmp_path, "20/s")
    file = write_users(tmp_path, HEAD + users)
    silent = Target(
        lambda peer, request: peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") if request.k < 0 else None
    )

    async with (
        serving(silent) as server,
        loading(tmp_path, server.url, locustfile=file, users=2, timeout_s=0.3) as load,
    ):
        closed = await run_phase(load, 1.0, FAULT_GATE)

    assert closed[FAULT_GATE]["answered"] == 0
    assert closed[FAULT_GATE]["sent"] >= 4
    assert {kind for event in load.of("sent") for kind in event["errors"]} == {"timeout"}


CANNOT_BE_IMPORTED = {
    "import locust\n\nimport nowhere_to_be_found\n": "users.py:3: ModuleNotFoundError: No module named",
    "def broken(:\n": "users.py:1: SyntaxError: ",
    "import sys\nsys.exit(4)\n": "users.py:2: SystemExit: 4",
    "x = 1\0\n": "users.py: SyntaxError: ",
    "raise KeyboardInterrupt\n": "users.py:1: KeyboardInterrupt",
    "from locust import HttpUser\n": "users.py without a User class",
}
IMPORTS = """
import pathlib, sys
from alertdrill.adapters.load.users_file import Unusable, import_users
for folder in sys.argv[1:]:
    try:
        import_users(pathlib.Path(folder, "users.py"))
    except Unusable as error:
        print(error.got)
"""


def test_what_keeps_a_locustfile_from_being_imported_is_said_in_one_line(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(len(CANNOT_BE_IMPORTED))]
    for folder, text in zip(folders, CANNOT_BE_IMPORTED, strict=True):
        folder.mkdir()
        write_users(folder, text)

    command = [sys.executable, "-c", IMPORTS, *map(str, folders)]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=20, check=True).stdout.splitlines()

    for got, expected in zip(said, CANNOT_BE_IMPORTED.values(), strict=True):
        assert got.startswith(expected)


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("import sys\nsys.exit(4)\n", "users.py:2: SystemExit: 4"),
        (
            "import sys\nfrom locust import HttpUser, events\nclass Caller(HttpUser):\n    pass\n"
            "events.init.add_listener(lambda **_: sys.exit(4))\n",
            "users.py:5: SystemExit: 4",
        ),
    ],
)
async def test_a_locustfile_that_cannot_be_run_is_said_before_any_traffic(tmp_path: Path, text: str, got: str) -> None:
    make_plan(tmp_path, "20/s")
    file = write_users(tmp_path, text)

    async with serving(Target()) as server, loading(tmp_path, server.url, locustfile=file, users=2) as load:
        unusable = await load.saw("unusable")
        assert await load.exit_code() == 1

    assert unusable["got"].startswith(got)
    assert not server.peers
    assert not load.of("ready")
    assert "Traceback" not in (tmp_path / "load.log").read_text()


async def test_users_that_never_call_the_endpoint_fail_the_load_in_one_line(tmp_path: Path) -> None:
    make_plan(tmp_path, "20/s")
    elsewhere = HTTP.replace("/predict", "/v2/predict").replace("constant(0)", "constant(0.5)")
    file = write_users(tmp_path, HEAD + elsewhere)

    async with (
        serving(Target()) as server,
        loading(tmp_path, server.url, locustfile=file, users=3, silent_s=1.0) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_GATE)
        await until(lambda: bool(load.of("failed")), 5.0)
        assert await load.exit_code() == 1

    why = load.of("failed")[0]["why"]
    assert why.startswith(
        "no user of users.py called POST /predict of its host for 1 s while requests were due: 3 of 3"
    )
    assert "POST /v2/predict" in why
    assert (tmp_path / "load.log").read_text().splitlines()[-1] == why
    assert "Traceback" not in (tmp_path / "load.log").read_text()


POST = 'self.client.post("/predict", json=row())'


def user(*lines: str, kind: str = "HttpUser", members: str = "") -> str:
    """A locustfile with one class, whose task is some lines."""
    body = "".join(f"        {line}\n" for line in lines)
    return f"class Caller({kind}):\n    wait_time = constant(0)\n{members}    @task\n    def predict(self):\n{body}"


@pytest.mark.parametrize("kind", ["HttpUser", "FastHttpUser"])
async def test_what_a_user_was_about_to_send_is_sent_although_others_change_the_object_meanwhile(
    tmp_path: Path, kind: str
) -> None:
    make_plan(tmp_path, "50/s")
    shared = user('ROW["count"] = next(numbers)', 'self.client.post("/predict", json=ROW)', kind=kind)

    target, _, closed = await drill(tmp_path, shared, [FAULT_GATE])

    bodies = [one.body for one in predictions(target, FAULT_GATE)]
    assert len(set(bodies)) == len(bodies) > 40
    assert closed[FAULT_GATE]["payload_sha256"] == [payload_sha256(bodies)]


ENDS_EARLY = """
    def on_start(self):
        gevent.spawn(lambda: {}["of a greenlet"])
        if next(numbers) % 4 == 0:
            raise ValueError("no login")
"""
NOT_BUILT = """
    def __init__(self, environment):
        super().__init__(environment)
        raise ValueError("cannot be built")
"""


NO_LOGIN = """
    def on_start(self):
        raise ValueError("no login")
"""


async def test_a_user_that_ends_with_an_error_ends_alone(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")

    _, load, closed = await drill(tmp_path, "import gevent\n" + user(POST, members=ENDS_EARLY), [FAULT_GATE])

    told = closed[FAULT_GATE]
    assert told["sent"] == told["answered"] + told["in_flight"] == told["scheduled"]
    assert not load.of("failed")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (user(POST, members=NOT_BUILT), "ValueError: cannot be built"),
        (
            user("pass", members='    def on_start(self):\n        raise ValueError("no login")\n'),
            "ValueError: no login",
        ),
    ],
)
async def test_the_error_that_ended_all_users_is_named(tmp_path: Path, text: str, error: str) -> None:
    make_plan(tmp_path, "20/s")
    file = write_users(tmp_path, HEAD + text)

    async with (
        serving(Target()) as server,
        loading(tmp_path, server.url, locustfile=file, users=3, silent_s=1.0) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_GATE)
        await until(lambda: bool(load.of("failed")), 5.0)

    why = load.of("failed")[0]["why"]
    assert "0 of 3 users run" in why
    assert "; last error: users.py:" in why
    assert why.endswith(error)


async def test_a_user_that_ends_the_process_is_named(tmp_path: Path) -> None:
    make_plan(tmp_path, "20/s")
    file = write_users(tmp_path, HEAD + "import sys\n" + user(POST, "sys.exit(3)"))

    async with serving(Target()) as server, loading(tmp_path, server.url, locustfile=file, users=3) as load:
        await load.saw("ready")
        load.segment(FAULT_GATE)
        assert await load.exit_code() == 1

    assert load.of("failed")[0]["why"].startswith("users.py:16: SystemExit: 3: the code of a user ended the load")


@pytest.mark.parametrize("caught", ["Exception", "BaseException"])
async def test_users_that_never_give_up_do_not_keep_the_load_from_ending(tmp_path: Path, caught: str) -> None:
    make_plan(tmp_path, "50/s")
    stubborn = user("while True:", "    try:", f"        {POST}", f"    except {caught}:", "        pass")

    began = time.monotonic()
    _, _, closed = await drill(tmp_path, stubborn, [FAULT_GATE])

    assert closed[FAULT_GATE]["sent"] > 40
    assert time.monotonic() - began < 10.0


RETRIES = """
    def on_start(self):
        self.client.mount("http://", HTTPAdapter(max_retries=Retry(total=5, allowed_methods=None)))
"""
RETRYING = {
    "HttpUser": "from requests.adapters import HTTPAdapter\nfrom urllib3.util import Retry\n"
    + user(POST, members=RETRIES),
    "FastHttpUser": user(POST, kind="FastHttpUser", members="    max_retries = 5\n"),
}


@pytest.mark.parametrize("kind", ["HttpUser", "FastHttpUser"])
@pytest.mark.long
async def test_a_client_that_tries_again_for_its_user_gives_up_in_time_as_well(tmp_path: Path, kind: str) -> None:
    make_plan(tmp_path, "20/s")
    file = write_users(tmp_path, HEAD + RETRYING[kind])
    silent = Target(lambda peer, request: None)

    async with (
        serving(silent) as server,
        loading(tmp_path, server.url, locustfile=file, users=2, timeout_s=0.3) as load,
    ):
        closed = await run_phase(load, 1.0, FAULT_GATE)

    drained = load.of("drained")
    assert closed[FAULT_GATE]["sent"] == closed[FAULT_GATE]["failed"] + sum(one["failed"] for one in drained) > 1
    assert {kind for event in load.of("sent") for kind in event["errors"]} == {"timeout"}


@pytest.mark.parametrize("kind", [pytest.param("HttpUser", marks=pytest.mark.long), "FastHttpUser"])
@pytest.mark.parametrize(("ends", "failure"), [("never", "timeout"), ("early", "truncated"), ("no_gzip", "bad_http")])
async def test_an_answer_that_is_not_whole_is_none(tmp_path: Path, kind: str, ends: str, failure: str) -> None:
    def answer(peer: Peer, request: Arrived) -> None:
        encoding = b"Content-Encoding: gzip\r\nContent-Length: 4" if ends == "no_gzip" else b"Content-Length: 100"
        peer.write(b"HTTP/1.1 200 OK\r\n" + encoding + b"\r\n\r\nhalf")
        if ends == "early":
            peer.close()

    make_plan(tmp_path, "20/s")
    file = write_users(tmp_path, HEAD + user(POST, kind=kind))

    async with (
        serving(Target(answer)) as server,
        loading(tmp_path, server.url, locustfile=file, users=8, timeout_s=0.3) as load,
    ):
        closed = await run_phase(load, 1.0, FAULT_GATE)

    assert closed[FAULT_GATE]["answered"] == 0
    assert closed[FAULT_GATE]["sent"] > 10
    assert {kind for event in load.of("sent") for kind in event["errors"]} == {failure}


async def test_tasks_import_what_lies_beside_the_file(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    team = tmp_path / "team"
    team.mkdir()
    (team / "rows.py").write_text("def made(row):\n    return row\n")
    file = write_users(team, HEAD + user("import rows", 'self.client.post("/predict", json=rows.made(row()))'))

    async with serving(Target()) as server, loading(tmp_path, server.url, locustfile=file, users=8) as load:
        closed = await run_phase(load, 1.0, FAULT_GATE)

    assert closed[FAULT_GATE]["answered"] > 40


WRAPPED = """
from locust.clients import HttpSession
theirs = HttpSession.request
def request(self, *args, **kwargs):
    return theirs(self, *args, **kwargs)
HttpSession.request = request
"""


async def test_a_locustfile_may_put_a_function_of_its_own_before_the_client(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")

    target, _, closed = await drill(tmp_path, WRAPPED + user(POST), [FAULT_GATE])

    end, asked = closed[FAULT_GATE], len(predictions(target, FAULT_GATE))
    assert 40 < end["answered"] <= asked <= end["answered"] + end["in_flight"]


LISTENS = """
from locust import events
def note(name):
    getattr(events, name).add_listener(lambda **_: open("heard", "a").write(name + "\\n"))
for name in ("init", "test_start", "test_stop", "quitting", "quit"):
    note(name)
"""


async def test_listeners_hear_of_beginning_and_end_in_the_order_of_locust(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")

    await drill(tmp_path, LISTENS + user(POST), [FAULT_GATE])

    assert (tmp_path / "heard").read_text().split() == ["init", "test_start", "quitting", "test_stop", "quit"]


def test_the_rows_of_the_users_are_those_of_the_schema() -> None:
    assert set(ROW) == set(SCHEMA.names())
