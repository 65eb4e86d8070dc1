"""The middleware over in-memory ASGI, in stepped time."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from inside_world import TOKEN, Asked, K, World, plan, stepped, touched

from alertdrill.inside import DrillFaults

Test = Callable[[World], Coroutine[Any, Any, None]]
SLOW = {"kind": "latency", "delay": "2s", "share": 1.0}
DISCONNECT = {"type": "http.disconnect"}


def in_stepped_time(test: Test) -> Callable[[], None]:
    """Run a test in a world of its own."""

    async def run() -> None:
        await test(World())

    def wrapper() -> None:
        stepped(run())

    wrapper.__name__ = test.__name__
    return wrapper


def now() -> float:
    return asyncio.get_running_loop().time()


# without a token


@pytest.mark.parametrize("token", [None, "", "fifteen letters"])
async def test_without_a_token_of_sixteen_characters_everything_reaches_the_app_as_it_is(
    token: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("ALERTDRILL_INSIDE_TOKEN", raising=False)
    passed: list[Any] = []

    async def app(*given: Any) -> None:
        passed.extend(given)

    with caplog.at_level(logging.WARNING):
        server = DrillFaults(app, token)
    asked = Asked("PUT", "/.alertdrill/plan", {"x-alertdrill-token": token or ""}, b"")
    given = [asked.scope, asked.receive, asked.send]
    await server(*given)
    assert passed == given
    assert bool(caplog.messages) == bool(token)


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTDRILL_INSIDE_TOKEN", TOKEN)

    async def work() -> None:
        world = World()
        world.server = DrillFaults(world.echo)
        assert (await world.control("GET", "plan")).status == 200

    stepped(work())


# control requests


@pytest.mark.parametrize("token", ["", "0123456789abcdeF", TOKEN + "0", "\xe9" * 16])
def test_with_another_token_the_control_paths_are_the_apps_own(token: str) -> None:
    async def work() -> None:
        world = World()
        await world.begin(plan(SLOW))
        for method, what in (("PUT", "plan"), ("DELETE", "plan"), ("POST", "lease"), ("GET", "events")):
            asked = await world.control(method, what, b"mine", token=token)
            assert asked.headers == {b"x-app": b"echo"}
        assert len(world.seen) == 4
        assert (await world.control("GET", "plan")).answer["run"] == "run-1"

    stepped(work())


@in_stepped_time
async def test_unknown_control_paths_are_not_found(world: World) -> None:
    assert (await world.control("GET", "nothing")).status == 404
    assert (await world.control("POST", "plan")).status == 404
    assert world.seen == []


@in_stepped_time
async def test_control_paths_are_found_below_the_root_path_of_a_mounted_app(world: World) -> None:
    headers = {"x-alertdrill-token": TOKEN}
    asked = await world.serve(Asked("GET", "/m/.alertdrill/plan", headers, b"", root_path="/m"))
    assert asked.answer["run"] is None
    assert (await world.serve(Asked("GET", "/m/.alertdrill/plan", headers, b""))).headers == {b"x-app": b"echo"}


@in_stepped_time
async def test_what_is_no_plan_is_refused_in_words(world: World) -> None:
    asked = await world.control("PUT", "plan", b'{"run_id": 1}', lease=5)
    assert asked.status == 400
    assert asked.answer["error"].startswith("not a plan of this version")
    assert (await world.control("GET", "plan")).answer["run"] is None


@in_stepped_time
async def test_a_plan_is_refused_for_what_an_app_cannot_do(world: World) -> None:
    asked = await world.begin(plan({"kind": "connection_reset", "share": 0.5}))
    assert asked.status == 400
    why = "expected edge or model, as an ASGI app cannot reset a connection"
    assert asked.answer["error"] == f"p/f0: got place inside, {why}"


@pytest.mark.parametrize("lease", ["0", "-1", "61", "nan", "inf", "soon", "", None])
def test_a_lease_is_a_number_of_seconds_up_to_a_minute(lease: str | None) -> None:
    async def work() -> None:
        world = World()
        given = {} if lease is None else {"lease": lease}
        body = plan(SLOW).model_dump_json().encode()
        asked = await world.control("PUT", "plan", body, **given)
        assert asked.status == 400
        assert "x-alertdrill-lease: got" in asked.answer["error"]
        assert (await world.control("GET", "plan")).answer["run"] is None

    stepped(work())


@in_stepped_time
async def test_a_plan_that_came_in_part_is_refused(world: World) -> None:
    asked = Asked("PUT", "/.alertdrill/plan", {"x-alertdrill-token": TOKEN, "x-alertdrill-lease": "5"}, b"")
    asked.incoming.clear()
    asked.comes({"type": "http.request", "body": b"{", "more_body": True}, DISCONNECT)
    assert (await world.serve(asked)).status == 400


@in_stepped_time
async def test_a_plan_that_is_too_long_is_refused(world: World) -> None:
    asked = Asked("PUT", "/.alertdrill/plan", {"x-alertdrill-token": TOKEN, "x-alertdrill-lease": "5"}, b"")
    asked.incoming.clear()
    asked.comes(*[{"type": "http.request", "body": bytes(1 << 20), "more_body": True}] * 17)
    assert (await world.serve(asked)).status == 413


@in_stepped_time
async def test_a_second_drill_waits_until_the_first_has_let_go(world: World) -> None:
    await world.begin(plan(SLOW))
    other = plan(SLOW, run="run-2")
    refused = await world.begin(other)
    assert (refused.status, "run-1 is on here" in refused.answer["error"]) == (409, True)
    assert (await world.control("POST", "lease", run="run-2", lease=5, after=0)).status == 409
    assert (await world.control("DELETE", "plan", run="run-2")).status == 409
    await world.control("DELETE", "plan")
    assert (await world.begin(other)).status == 200
    assert (await world.control("GET", "plan")).answer["run"] == "run-2"


# which requests


@in_stepped_time
async def test_exactly_the_planned_requests_are_held_and_reported(world: World) -> None:
    made = plan({**SLOW, "share": 0.4})
    await world.begin(made, lease=60)
    chosen = touched(made)
    asked = await asyncio.gather(*(world.ask(i) for i in range(len(chosen))))
    assert [one.sent[-1][0] == 2.0 for one in asked] == chosen
    assert [one.sent[-1][0] == 0.0 for one in asked] == [not one for one in chosen]
    assert {one.body for one in asked} == {b"0123456789"}
    event = await world.touched()
    assert (event["injection"], event["k"]) == ("p/f0", K)
    assert sorted(event["i"]) == [i for i, one in enumerate(chosen) if one]
    first = event["effect_at"][0]
    assert event["effect_at"] == [first] * sum(chosen)
    assert event["released"] == event["ended"] == [pytest.approx(first + 2.0, abs=1e-5)] * sum(chosen)
    assert set(event["code"]) == {200}
    assert {"event": "seen", "k": K, "requests": len(chosen)} in await world.events()


@in_stepped_time
async def test_requests_of_others_are_neither_touched_nor_counted(world: World) -> None:
    await world.begin(plan(SLOW))
    await world.ask(0, run="run-2")
    await world.ask(0, k=1)
    for headers in ({}, {"x-alertdrill-run": "run-1"}, {"x-alertdrill-run": "run-1", "x-alertdrill-seq": "x"}):
        await world.serve(Asked("POST", "/predict", headers, b""))
    assert now() == 0.0
    assert await world.events() == [{"event": "seen", "k": 1, "requests": 1}]


@in_stepped_time
async def test_faults_at_other_places_are_left_to_them(world: World) -> None:
    await world.begin(plan({**SLOW, "place": "model"}))
    await world.ask(0)
    assert now() == 0.0


@in_stepped_time
async def test_what_is_no_request_passes(world: World) -> None:
    await world.begin(plan(SLOW))
    passed: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["type"])

    server = DrillFaults(app, TOKEN)
    for kind in ("lifespan", "websocket"):
        await server({"type": kind}, None, None)
    assert passed == ["lifespan", "websocket"]


@in_stepped_time
async def test_events_are_given_again_until_they_have_arrived(world: World) -> None:
    await world.begin(plan({**SLOW, "share": 0.0}))
    await world.ask(0)
    lost = (await world.control("GET", "events", after=0)).answer
    await world.ask(1)
    again = (await world.control("POST", "lease", lease=5, after=0)).answer
    assert [event["requests"] for event in again["events"]] == [1, 1]
    assert again["last"] == lost["last"] + 1
    assert (await world.control("GET", "events", after=lost["last"])).answer["events"] == again["events"][1:]
    assert await world.events(after=again["last"]) == []


# the end of a drill


@in_stepped_time
async def test_faults_and_holds_end_with_the_lease(world: World) -> None:
    await world.begin(plan({**SLOW, "delay": "60s", "at_most": "60s"}), lease=5.0)
    held = await world.ask(0)
    assert (now(), held.status, held.body) == (5.0, 200, b"0123456789")
    await world.ask(1)
    assert now() == 5.0
    assert (await world.control("GET", "plan")).answer["run"] is None
    refused = await world.control("POST", "lease", lease=5, after=0)
    assert (refused.status, "the lease has run out" in refused.answer["error"]) == (409, True)
    assert (await world.touched())["i"] == [0]


@in_stepped_time
async def test_a_renewed_lease_keeps_what_is_held(world: World) -> None:
    await world.begin(plan({**SLOW, "delay": "12s"}), lease=5.0)
    held = asyncio.create_task(world.ask(0))
    for _ in range(3):
        await asyncio.sleep(4.0)
        assert (await world.control("POST", "lease", lease=5.0, after=0)).status == 200
    await held
    assert now() == 12.0


@in_stepped_time
async def test_a_loop_that_stood_still_past_the_lease_touches_nothing_afterwards(world: World) -> None:
    instants = [0.0]
    world.server = DrillFaults(world.echo, TOKEN, clock=lambda: instants[0])
    await world.begin(plan(SLOW), lease=5.0)
    instants[0] = 5.0
    await world.ask(0)
    assert now() == 0.0


@in_stepped_time
async def test_clear_lets_go_what_is_held_and_touches_no_more(world: World) -> None:
    await world.begin(plan({**SLOW, "delay": "4s"}))
    held = asyncio.create_task(world.ask(0))
    await asyncio.sleep(1.0)
    assert (await world.control("DELETE", "plan")).status == 200
    await held
    await world.ask(1)
    assert now() == 1.0
    event = await world.touched()
    assert event["released"] == event["ended"] == [pytest.approx(event["effect_at"][0] + 1.0, abs=1e-5)]


# what is done to a request


@in_stepped_time
async def test_a_client_that_leaves_while_it_is_held_is_not_worked_for(world: World) -> None:
    await world.begin(plan({**SLOW, "delay": "4s"}))
    asked = world.request(0)
    held = asyncio.create_task(world.serve(asked))
    await asyncio.sleep(1.0)
    asked.leaves()
    await held
    assert (now(), world.seen, asked.status) == (1.0, [], 499)
    event = await world.touched()
    assert (event["released"], event["ended"], event["code"]) == ([None], [None], [0])
    assert event["effect_at"] != [None]


@in_stepped_time
async def test_a_body_that_comes_during_the_hold_reaches_the_app_whole_and_in_order(world: World) -> None:
    await world.begin(plan(SLOW))
    asked = world.request(0, body=b"")
    asked.incoming.clear()
    held = asyncio.create_task(world.serve(asked))
    asked.comes({"type": "http.request", "body": b"one", "more_body": True})
    await asyncio.sleep(1.0)
    asked.comes({"type": "http.request", "body": b"two", "more_body": True})
    await asyncio.sleep(2.0)
    assert world.seen == []
    asked.comes({"type": "http.request", "body": b"three", "more_body": False})
    await held
    assert world.seen == [(3.0, b"onetwothree")]


@in_stepped_time
async def test_a_message_that_comes_in_the_instant_in_which_the_hold_ends_is_not_lost(world: World) -> None:
    async def reads_late(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1.0)
        await world.echo(scope, receive, send)

    late = World(reads_late)
    await late.begin(plan(SLOW))
    asked = late.request(0)
    asyncio.get_running_loop().call_at(2.0, asked.comes, asked.incoming.popleft())
    await late.serve(asked)
    assert world.seen == [(3.0, b"0123456789")]


@in_stepped_time
async def test_no_more_than_a_mebibyte_of_a_body_is_read_ahead(world: World) -> None:
    await world.begin(plan(SLOW))
    asked = world.request(0, body=b"")
    asked.incoming.clear()
    asked.comes(*[{"type": "http.request", "body": bytes(100_000), "more_body": True}] * 20, DISCONNECT)
    held = asyncio.create_task(world.serve(asked))
    await asyncio.sleep(1.0)
    assert len(asked.incoming) == 10
    held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held


@in_stepped_time
async def test_an_answer_is_given_in_the_apps_place(world: World) -> None:
    await world.begin(plan({"kind": "http_error", "status": 503, "body": "down", "retry_after": "2s", "share": 1.0}))
    asked = await world.ask(0)
    assert (asked.status, asked.body, world.seen) == (503, b"down", [])
    assert asked.headers[b"content-length"] == b"4"
    assert asked.headers[b"retry-after"] == b"2"
    event = await world.touched()
    assert (event["code"], event["released"]) == ([503], [None])
    assert event["ended"] == event["effect_at"]


@in_stepped_time
async def test_silence_lasts_until_the_client_leaves(world: World) -> None:
    await world.begin(plan({"kind": "black_hole", "share": 1.0}), lease=60)
    asked = world.request(0)
    held = asyncio.create_task(world.serve(asked))
    await asyncio.sleep(30.0)
    assert asked.sent == []
    asked.leaves()
    await held
    assert world.seen == []


@in_stepped_time
async def test_silence_ends_with_the_lease_and_the_app_answers(world: World) -> None:
    await world.begin(plan({"kind": "black_hole", "share": 1.0}))
    asked = await world.ask(0)
    assert (now(), asked.status, asked.body) == (5.0, 200, b"0123456789")
    event = await world.touched()
    assert event["released"] == [pytest.approx(event["effect_at"][0] + 5.0, abs=1e-5)]


@in_stepped_time
async def test_an_answer_is_edited_as_a_whole_and_keeps_its_length(world: World) -> None:
    await world.begin(plan({"kind": "corrupted_answer", "share": 1.0}))
    asked = await world.ask(0)
    assert asked.body != b"0123456789"
    assert len(asked.body) == 10
    assert asked.headers == {b"x-app": b"echo"}
    event = await world.touched()
    assert event["effect_at"] != [None]


@in_stepped_time
async def test_an_answer_too_long_to_keep_passes_as_it_is_and_is_not_touched(world: World) -> None:
    await world.begin(plan({"kind": "corrupted_answer", "share": 1.0}))
    body = bytes((1 << 20) + 1)
    assert (await world.ask(0, body=body)).body == body
    assert (await world.touched())["effect_at"] == [None]


@in_stepped_time
async def test_a_slow_answer_comes_evenly_and_its_head_at_once(world: World) -> None:
    await world.begin(plan({"kind": "slow_answer", "over": "0.5s", "share": 1.0}))
    asked = await world.ask(0)
    assert (asked.sent[0][0], asked.status) == (0.0, 200)
    pieces = [(round(at, 6), message["body"], message["more_body"]) for at, message in asked.sent[1:]]
    assert pieces == [(round(0.05 * (n + 1), 6), b"%d" % n, n < 9) for n in range(10)]
    event = await world.touched()
    assert event["ended"] == [pytest.approx(event["released"][0] + 0.5, abs=1e-5)]
    assert event["effect_at"] == [pytest.approx(event["released"][0] + 0.05, abs=1e-5)]


@in_stepped_time
async def test_what_is_left_of_a_slow_answer_comes_at_once_when_the_lease_ends(world: World) -> None:
    await world.begin(plan({"kind": "slow_answer", "over": "50s", "share": 1.0}))
    asked = await world.ask(0)
    assert (now(), asked.body) == (5.0, b"0123456789")


@in_stepped_time
async def test_a_delay_is_followed_by_what_another_fault_does(world: World) -> None:
    await world.begin(plan(SLOW, {"kind": "http_error", "share": 1.0}))
    asked = await world.ask(0)
    assert (now(), asked.status) == (2.0, 503)
    assert {event["injection"] for event in await world.events() if event["event"] == "touched"} == {"p/f0", "p/f1"}


def test_what_the_app_raises_is_raised_and_counted_as_500() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    async def work() -> None:
        world = World(broken)
        await world.begin(plan(SLOW))
        with pytest.raises(ZeroDivisionError):
            await world.ask(0)
        event = await world.touched()
        assert event["code"] == [500]
        assert event["ended"] == [pytest.approx(event["effect_at"][0] + 2.0, abs=1e-5)]

    stepped(work())


def test_an_answer_that_breaks_off_has_no_end() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    async def work() -> None:
        world = World(broken)
        await world.begin(plan(SLOW))
        with pytest.raises(ZeroDivisionError):
            await world.ask(0)
        event = await world.touched()
        assert (event["code"], event["ended"]) == ([200], [None])

    stepped(work())
