"""The load over TLS: real Locust against real servers with certificates of every quality."""

import asyncio
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from certificates import Authority
from gevent.event import Event
from load_process import (
    FAULT_PHASE,
    OK,
    PHASE,
    Arrived,
    LoadProcess,
    Peer,
    Target,
    loading,
    make_plan,
    payloads,
    serving,
)

from alertdrill.adapters.load.connection_pool import Pool
from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.request import Failure, Request
from alertdrill.adapters.load.tls import TlsConnection, connector
from alertdrill.adapters.load.wire import Address
from alertdrill.tls import TlsSettings

TCP_CORK = 3
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def _errors(load: LoadProcess) -> Counter[str]:
    return sum((Counter(event["errors"]) for event in load.of("sent")), Counter[str]())


async def test_what_arrives_over_tls_is_the_prefix_of_the_plan(authority: Authority, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "200/s", "poisson")
    asked: list[str | None] = []
    context = authority.server("127.0.0.1", "model.test")
    context.sni_callback = lambda session, name, context: asked.append(name)
    trusted = TlsSettings(ca=authority.ca, server_name="model.test")
    async with (
        serving(Target(), context) as target,
        loading(tmp_path, target.url + "/v1", authority="model.test:443", tls=trusted) as load,
    ):
        await load.saw("ready")
        load.segment(FAULT_PHASE)
        await asyncio.sleep(1.2)
        await load.close(after_s=0.2)
    closed = load.of("closed")[0]
    count = closed["sent"]
    assert (closed["scheduled"], closed["failed"]) == (count, 0)
    assert closed["within_100ms"] >= 0.99 * count > 150
    arrived = sorted(target.arrived, key=lambda request: request.i)
    assert [(request.k, request.i) for request in arrived] == [(FAULT_PHASE, i) for i in range(count)]
    assert [request.body for request in arrived] == payloads(plan, tmp_path).block(FAULT_PHASE, 0, count).bodies
    assert {request.headers[b"host"] for request in arrived} == {b"model.test:443"}
    assert set(asked) == {"model.test"}
    assert len(target.peers) < 20
    touched = {i for event in load.of("touched") for i in event["i"]}
    answered = {i for event in load.of("answered") for i in event["i"]}
    assert touched == answered


@pytest.mark.parametrize(
    ("make", "trusted"),
    [
        (lambda authority: authority.server(expired=True), True),
        (lambda authority: authority.server(not_yet=True), True),
        (lambda authority: authority.server("other.test"), True),
        (lambda authority: authority.server(), False),
        (lambda authority: authority.self_signed()[0], True),
    ],
    ids=["expired", "of the future", "of another host", "of an unknown authority", "self-signed"],
)
async def test_a_certificate_that_cannot_be_trusted_is_counted_as_that(
    make: Callable[[Authority], ssl.SSLContext], trusted: bool, authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "50/s")
    settings = TlsSettings(ca=authority.ca if trusted else None)
    async with (
        serving(Target(), make(authority)) as target,
        loading(tmp_path, target.url, tls=settings) as load,
    ):
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(0.6)
        await load.close()
    sent = load.of("closed")[0]["sent"]
    assert _errors(load) == Counter({"certificate": sent})
    assert sent > 10
    log = (tmp_path / "load.log").read_text()
    assert f"{sent} POST /predict: certificate" in " ".join(log.split())  # Locust's own report of errors
    assert "Traceback" not in log
    assert not target.arrived


async def test_verify_false_takes_any_certificate(authority: Authority, tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    context = authority.server("other.test", expired=True)
    async with (
        serving(Target(), context) as target,
        loading(tmp_path, target.url, tls=TlsSettings(verify=False)) as load,
    ):
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(0.5)
        await load.close()
    assert load.of("closed")[0]["failed"] == 0


async def test_a_target_that_asks_for_a_certificate_is_shown_ours(authority: Authority, tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    cert, key = authority.client()
    settings = TlsSettings(ca=authority.ca, cert=cert, key=key)
    async with (
        serving(Target(), authority.server(asks_for_ours=True)) as target,
        loading(tmp_path, target.url, tls=settings) as load,
    ):
        await load.saw("ready")
        load.segment(PHASE)
        await asyncio.sleep(0.5)
        await load.close()
    assert load.of("closed")[0]["failed"] == 0


async def test_a_certificate_that_expires_on_the_way_is_counted_from_its_first_new_connection_on(
    authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "50/s")
    current = [authority.server()]
    door = authority.server()

    def choose(session: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        session.context = current[0]

    door.sni_callback = choose

    def answer(peer: Peer, request: Arrived) -> None:
        peer.write(OK)
        peer.close()  # every request opens a connection of its own

    async with (
        serving(Target(answer), door) as target,
        loading(tmp_path, target.url.replace("127.0.0.1", "localhost"), tls=TlsSettings(ca=authority.ca)) as load,
    ):
        await load.saw("ready")
        load.segment(PHASE)
        await load.saw("sent", 2)
        current[0] = authority.server(expired=True)
        await asyncio.sleep(0.6)
        await load.close()
    errors = _errors(load)
    assert set(errors) == {"certificate"}
    assert errors["certificate"] > 10
    assert len(target.arrived) > 10
    assert len(target.arrived) + errors["certificate"] == load.of("closed")[0]["sent"]


async def test_a_plain_server_is_no_tls_server_and_the_other_way_round(authority: Authority, tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    plain = [(Target(), None, "https"), (Target(on_connect=lambda peer: peer.write(OK)), None, "https")]
    for target, context, scheme in [*plain, (Target(), authority.server(), "http")]:
        async with serving(target, context):
            url = f"{scheme}://{target.url.partition('://')[2]}"
            async with loading(tmp_path, url, tls=TlsSettings(ca=authority.ca), timeout_s=1.0) as load:
                await load.saw("ready")
                load.segment(PHASE)
                await asyncio.sleep(0.5)
                await load.close()
        allowed = {"tls"} if scheme == "https" else {"closed", "reset", "bad_http"}
        assert set(_errors(load)) <= allowed
        assert _errors(load).total() == load.of("closed")[0]["sent"] > 10


async def test_a_server_that_never_shakes_hands_is_given_the_time_of_the_request(tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        async with loading(tmp_path, url, timeout_s=0.6) as load:
            await load.saw("ready")
            load.segment(PHASE)
            cpu_s = sum(psutil.Process(load.pid).cpu_times()[:2])
            await asyncio.sleep(1.0)
            cpu_s = sum(psutil.Process(load.pid).cpu_times()[:2]) - cpu_s
            await load.close()
    assert cpu_s < 0.5  # it waits, and does not ask again and again whether it may write
    assert _errors(load) == Counter({"timeout": load.of("closed")[0]["sent"]})


# What needs a socket of which every byte is in the test's hands.

Talk = Callable[[socket.socket], None]


def _ask(
    address: Address,
    authority: Authority,
    data: bytes = b"POST / HTTP/1.1\r\n\r\n",
    then: Callable[[Pool], None] = lambda pool: None,
) -> Request:
    """One request over TLS, after its end; `then` is done once it is sent."""
    ended: list[Request] = []
    over = Event()

    def end(request: Request) -> None:
        ended.append(request)
        over.set()

    pool = Pool(address, end, lambda: None, connect=connector(TlsSettings(ca=authority.ca), "127.0.0.1"))
    request = Request(0, 0, b"", data)
    pool.submit(request)
    while not (request.sent or request.ended):
        Event().wait(0.001)
    then(pool)
    assert over.wait(5.0)
    pool.close()
    return ended[0]


def _answering(context: ssl.SSLContext, answer: bytes, *, goodbye: bool) -> Talk:
    def talk(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as session:
            session.recv(1 << 16)
            session.sendall(answer)
            if goodbye:
                session.settimeout(0.2)
                with suppress(OSError):
                    session.unwrap()

    return talk


def test_an_answer_that_ends_with_its_connection_counts_only_if_the_server_said_goodbye(
    authority: Authority, serve: Callable[[Talk], Address]
) -> None:
    request = _ask(serve(_answering(authority.server(), UNTIL_CLOSE, goodbye=True)), authority)
    assert (request.status, request.size, request.failure) == (200, 19, None)


def test_an_answer_that_is_cut_without_a_goodbye_is_truncated(
    authority: Authority, serve: Callable[[Talk], Address]
) -> None:
    request = _ask(serve(_answering(authority.server(), UNTIL_CLOSE, goodbye=False)), authority)
    assert (request.status, request.failure) == (0, Failure.TRUNCATED)


def test_an_answer_with_a_length_needs_no_goodbye(authority: Authority, serve: Callable[[Talk], Address]) -> None:
    assert _ask(serve(_answering(authority.server(), OK, goodbye=False)), authority).status == 200


def test_a_cut_before_the_answer_is_a_closed_connection(authority: Authority, serve: Callable[[Talk], Address]) -> None:
    assert _ask(serve(_answering(authority.server(), b"", goodbye=False)), authority).failure is Failure.CLOSED


def test_a_server_that_asks_for_a_certificate_that_we_do_not_have_gives_no_session(
    authority: Authority, serve: Callable[[Talk], Address]
) -> None:
    context = authority.server(asks_for_ours=True)

    def talk(peer: socket.socket) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(peer, server_side=True) as session:
            session.recv(1 << 16)

    assert _ask(serve(talk), authority, b"x" * (8 << 20)).failure is Failure.TLS  # however long we go on talking


def test_a_broken_record_ends_the_session(authority: Authority, serve: Callable[[Talk], Address]) -> None:
    context = authority.server()

    def talk(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as session:
            session.recv(1 << 16)
            socket.socket.sendall(session, b"\x17\x03\x03\x00\x20" + b"\0" * 32)  # past the session
            socket.socket.recv(session, 1 << 16)

    assert _ask(serve(talk), authority).failure is Failure.TLS


@pytest.mark.parametrize(
    "rubbish",
    [b"\0" * 100, b"\x16\x03\x03\xff\xff" + b"x" * 65535, b"\x15\x03\x03\x00\x02\x02\x28", b""],
    ids=["zeros", "a record too long", "an alert", "nothing"],
)
def test_rubbish_instead_of_a_handshake_is_no_session(
    rubbish: bytes, authority: Authority, serve: Callable[[Talk], Address]
) -> None:
    def talk(peer: socket.socket) -> None:
        peer.recv(1 << 16)
        peer.sendall(rubbish)

    assert _ask(serve(talk), authority).failure is Failure.TLS


def test_a_request_larger_than_the_kernel_takes_arrives_whole_over_tls(
    authority: Authority, serve: Callable[[Talk], Address]
) -> None:
    body = bytes(range(256)) * 65536  # 16 MiB
    context, read = authority.server(), bytearray()

    def talk(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as session:
            while len(read) < len(body):
                read.extend(session.recv(1 << 16))
            session.sendall(OK)
            session.recv(1)

    request = _ask(serve(talk), authority, body)
    assert (request.status, request.failure) == (200, None)
    assert bytes(read) == body
    assert request.attempted < request.sent <= request.ended


def test_a_reset_within_the_handshake_is_no_session(authority: Authority, serve: Callable[[Talk], Address]) -> None:
    def talk(peer: socket.socket) -> None:
        peer.recv(1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert _ask(serve(talk), authority).failure is Failure.TLS


def test_a_connection_whose_server_said_goodbye_behind_its_answer_is_not_kept(
    authority: Authority, serve: Callable[[Talk], Address]
) -> None:
    context, left = authority.server(), threading.Event()

    def talk(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as session:
            session.recv(1 << 16)
            session.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 1)
            session.sendall(OK)
            session.settimeout(0.05)
            with suppress(OSError):
                session.unwrap()
            session.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 0)  # both in one segment
            session.settimeout(1.0)
            with suppress(TimeoutError):
                socket.socket.recv(session, 1)
                left.set()

    ended: list[Request] = []
    connect = connector(TlsSettings(ca=authority.ca), "127.0.0.1")
    pool = Pool(serve(talk), ended.append, lambda: None, connect=connect)
    pool.submit(Request(0, 0, b"", b"POST / HTTP/1.1\r\n\r\n"))
    deadline = monotonic_s() + 2.0
    while not left.is_set() and monotonic_s() < deadline:
        Event().wait(0.01)
    assert left.is_set()
    assert ended[0].status == 200
    pool.close()


def test_a_server_that_makes_us_talk_and_does_not_listen_is_left(
    authority: Authority, serve: Callable[[Talk], Address]
) -> None:
    context = authority.server()
    go_on = threading.Event()

    def talk(peer: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(peer, server_side=True) as session:  # it is left, whenever
            session.recv(1 << 16)
            go_on.wait(5.0)
            session.sendall(OK[:20])
            while socket.socket.recv(session, 1 << 16):
                pass

    def owe(pool: Pool) -> None:  # as after a hundred thousand requests to renew the keys, which Python cannot send
        (connection,) = pool._open
        assert isinstance(connection, TlsConnection)
        connection._to_socket.write(bytes(2 << 20))
        go_on.set()

    assert _ask(serve(talk), authority, then=owe).failure is Failure.TLS
