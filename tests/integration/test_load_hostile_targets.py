"""The load against targets that mean no good, over plain HTTP and TLS: every request ends, by a kind, in its time."""

import asyncio
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from certificates import Authority
from load_process import OK, PHASE, LoadProcess, Peer, Target, loading, make_plan, serving

from alertdrill.tls import TlsSettings

TIMEOUT_S = 0.8
HEAD = b"HTTP/1.1 200 OK\r\n"
Behaviour = Callable[[Peer], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def writing(data: bytes, *, close: bool = False) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.write(data)
        if close:
            peer.close()

    return behave


def dripping(head: bytes, piece: bytes, every_s: float = 0.1) -> Behaviour:
    """The beginning of an answer, and then bytes for ever, far too slowly."""

    async def drip(peer: Peer) -> None:
        peer.write(head)
        while not peer.gone:
            peer.write(piece)
            await asyncio.sleep(every_s)

    return lambda peer: peer.keep(drip(peer))


def flooding(head: bytes, piece: bytes) -> Behaviour:
    """The beginning of an answer, and then bytes for ever, as fast as they are taken."""

    async def flood(peer: Peer) -> None:
        peer.write(head)
        block = piece * (1 + 0x40000 // len(piece))
        while not peer.gone:
            if peer.transport.get_write_buffer_size() < 4 * len(block):
                peer.write(block)
            await asyncio.sleep(0.001)

    return lambda peer: peer.keep(flood(peer))


def resetting(peer: Peer) -> None:
    peer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.transport.abort()


def both_at_once(first: bytes, second: bytes) -> Behaviour:
    """An answer, and another that nobody asked for a moment later."""

    def behave(peer: Peer) -> None:
        peer.write(first)
        asyncio.get_running_loop().call_later(0.01, peer.write, second)

    return behave


ANSWERED = "answered"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LOOP = b"HTTP/1.1 302 Found\r\nLocation: /predict\r\nContent-Length: 0\r\n\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

HOSTILE: list[tuple[str, str, Behaviour]] = [
    ("accepts and is silent", "timeout", lambda peer: None),
    ("closes instead of an answer", "closed", Peer.close),
    ("resets instead of an answer", "reset", resetting),
    ("speaks another protocol", "bad_http", writing(b"SSH-2.0-OpenSSH_9.7\r\n")),
    ("sends bytes of no protocol", "bad_http", writing(bytes(range(256)))),
    ("has no version in its status line", "bad_http", writing(b"HTTP/x 200 OK\r\n\r\n")),
    ("has a status of two digits", "bad_http", writing(b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n")),
    ("has the status 000", "bad_http", writing(b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n")),
    ("says two lengths", "bad_http", writing(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc")),
    ("says a negative length", "bad_http", writing(HEAD + b"Content-Length: -2\r\n\r\nab")),
    ("says a length beyond all numbers", "bad_http", writing(HEAD + b"Content-Length: 9" + b"9" * 30 + b"\r\n\r\n")),
    ("says a length and chunks", "bad_http", writing(CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n0\r\n\r\n")),
    ("sends chunks without size", "bad_http", writing(CHUNKED + b"zz\r\nab\r\n")),
    ("sends a chunk of any size", "bad_http", writing(CHUNKED + b"f" * 40 + b"\r\nab\r\n")),
    ("switches the protocol", "bad_http", writing(b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nz")),
    ("drips its head", "timeout", dripping(HEAD, b"X")),
    ("drips its body", "timeout", dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b"x")),
    ("drips its chunks", "timeout", dripping(CHUNKED, b"1\r\nx\r\n")),
    ("hints for ever", "timeout", dripping(b"", HINT)),
    ("floods with hints", "too_large", flooding(b"", HINT)),
    ("floods with 100 Continue", "too_large", flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    ("floods with empty lines", "too_large", flooding(b"", b"\r\n")),
    ("has a header without end", "too_large", flooding(HEAD + b"X: ", b"x")),
    ("has headers without end", "too_large", flooding(HEAD, b"X: y\r\n")),
    ("has a head of 100 KB, and waits", "too_large", writing(HEAD + b"X: " + b"x" * 100_000)),
    ("hints for 100 KB, and waits", "too_large", writing(HINT * 3000)),
    ("announces 100 MB and sends them", "too_large", flooding(HEAD + b"Content-Length: 100000000\r\n\r\n", b"x")),
    ("ends within its head", "truncated", writing(HEAD + b"Content-Le", close=True)),
    ("ends within its body", "truncated", writing(HEAD + b"Content-Length: 9\r\n\r\nab", close=True)),
    ("ends within its chunks", "truncated", writing(CHUNKED + b"5\r\nab", close=True)),
    ("hints and ends", "truncated", writing(HINT, close=True)),
    ("hints and ends within its body", "truncated", writing(HINT + HEAD + b"Content-Length: 9\r\n\r\na", close=True)),
    ("is of HTTP/1.0 and ends", "truncated", writing(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n", close=True)),
    ("is of HTTP/1.0 and closes", ANSWERED, writing(b"HTTP/1.0 200 OK\r\n\r\n{}", close=True)),
    ("hints, and its end is the connection's", ANSWERED, writing(HINT + HEAD + b"\r\n{}", close=True)),
    ("redirects to itself", ANSWERED, writing(LOOP)),
    ("answers twice at once", ANSWERED, writing(OK + OK)),
    ("answers once more a moment later", ANSWERED, both_at_once(OK, OK)),
    ("answers, then rubbish", ANSWERED, writing(OK + b"\0" * 100)),
]  # fmt: skip


@asynccontextmanager
async def attacked(
    folder: Path, target: Target, context: ssl.SSLContext | None, authority: Authority, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[LoadProcess]:
    """A load process at a target, plain or over TLS, until a last look at it."""
    trusted = TlsSettings(ca=authority.ca)
    async with (
        serving(target, context),
        loading(folder, target.url, timeout_s=timeout_s, tls=trusted) as load,
    ):
        await load.saw("ready")
        yield load
    assert "Traceback" not in (folder / "load.log").read_text()


def kinds(load: LoadProcess) -> Counter[str]:
    """What became of all requests, checked against the books of the segment."""
    errors = sum((Counter(event["errors"]) for event in load.of("sent")), Counter[str]())
    answered = sum(event["answered"] for event in load.of("sent"))
    closed, drained = load.of("closed")[0], load.of("drained")
    in_books = [sum(event[key] for event in (closed, *drained)) for key in ("answered", "failed")]
    assert in_books == [answered, errors.total()]
    assert closed["sent"] == closed["scheduled"] == answered + errors.total()
    return errors + Counter({ANSWERED: answered})


async def _run(load: LoadProcess, for_s: float, timeout_s: float = TIMEOUT_S) -> None:
    load.segment(PHASE)
    await asyncio.sleep(for_s + 0.2)
    began = time.monotonic()
    await load.close()
    assert time.monotonic() - began < timeout_s + 2.0


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_every_hostile_answer_ends_by_its_kind_within_the_time_of_its_request(
    secure: bool, authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "50/s")
    target = Target(lambda peer, request: HOSTILE[request.i % len(HOSTILE)][2](peer))
    async with attacked(tmp_path, target, authority.server() if secure else None, authority) as load:
        await _run(load, 1.6)
    sent = load.of("closed")[0]["sent"]
    assert sent > len(HOSTILE)
    expected = Counter(HOSTILE[i % len(HOSTILE)][1] for i in range(sent))
    assert kinds(load) == expected, [HOSTILE[i % len(HOSTILE)][0] for i in range(sent)]
    assert sorted(request.i for request in target.arrived) == list(range(sent))  # none is followed, none goes out again


FLOODS = [
    ("a body of 100 MB", flooding(HEAD + b"Content-Length: 100000000\r\n\r\n", b"x" * 4096)),
    ("chunks for ever", flooding(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n")),
    ("announcements for ever", flooding(b"", HINT)),
    ("a header for ever", flooding(HEAD + b"X: ", b"x" * 4096)),
    ("trailers for ever", flooding(CHUNKED + b"0\r\n", b"X: y\r\n")),
]


@pytest.mark.parametrize("secure", [False, pytest.param(True, marks=pytest.mark.long)], ids=["plain", "tls"])
@pytest.mark.parametrize(("name", "flood"), FLOODS, ids=[name for name, _ in FLOODS])
async def test_a_flood_costs_bounded_memory_and_time(
    name: str, flood: Behaviour, secure: bool, authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "10/s")
    target = Target(lambda peer, request: flood(peer))
    async with attacked(tmp_path, target, authority.server() if secure else None, authority, timeout_s=5.0) as load:
        process = psutil.Process(load.pid)
        rss, cpu_s = process.memory_info().rss, sum(process.cpu_times()[:2])
        load.segment(PHASE)
        grown, used_s = 0, 0.0
        deadline = time.monotonic() + 1.2
        while time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            grown = max(grown, process.memory_info().rss - rss)
            used_s = sum(process.cpu_times()[:2]) - cpu_s
        await load.close()
    assert set(kinds(load)) <= {"too_large", "timeout"}
    assert kinds(load)["too_large"] > 0
    assert grown < 64 << 20, (name, grown)
    assert used_s < 1.2


async def test_a_target_that_never_accepts_is_given_the_time_of_the_request(
    authority: Authority, tmp_path: Path
) -> None:
    make_plan(tmp_path, "20/s")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]  # the kernel takes one or two more than it was told
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with loading(tmp_path, url, timeout_s=TIMEOUT_S) as load:
            await load.saw("ready")
            await _run(load, 0.8)
        for filler in fillers:
            filler.close()
    assert set(kinds(load)) == {"timeout"}


async def test_a_target_that_closes_every_connection_at_once_is_counted(authority: Authority, tmp_path: Path) -> None:
    make_plan(tmp_path, "50/s")
    async with attacked(tmp_path, Target(on_connect=Peer.close), authority.server(), authority) as load:
        await _run(load, 0.8)
    assert set(kinds(load)) <= {"closed", "reset"}


async def test_an_answer_before_the_request_was_sent_counts_once(authority: Authority, tmp_path: Path) -> None:
    make_plan(tmp_path, "20/s")
    for context in (None, authority.server()):
        target = Target(on_connect=lambda peer: peer.write(OK))
        async with attacked(tmp_path, target, context, authority) as load:
            await _run(load, 0.8)
        assert set(kinds(load)) == {ANSWERED}
        assert max(Counter(request.i for request in target.arrived).values()) == 1
