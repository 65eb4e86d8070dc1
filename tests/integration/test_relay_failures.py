"""What a relay does when a side refuses, breaks off, stalls, talks nonsense or leaves, over real sockets."""

import asyncio
import json
import socket
import time

import pytest
from sockets import GET, OK, Line, Peer, Remembering, Script, line, on_both_loops, until

from alertdrill.relay.exchange import Effect, End
from alertdrill.relay.server import serve, upstream_address

CUT_IN_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
CUT_IN_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde"


async def silent(peer: Peer) -> None:
    await peer.message()
    await peer.rest()


def breaking_off(answer: bytes, *, reset: bool = False) -> Script:
    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(answer)
        if reset:
            await asyncio.sleep(0.05)
            peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.reset()

    return script


async def _error(on: Line, status: int, code: str, end: End) -> None:
    """The client is told by a JSON error, may go on, and the exchange says the same."""
    client = await on.connect()
    for count in (1, 2):
        head, body = await client.ask()
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert json.loads(body)["error"] == code
        exchange = (await on.ended(count))[-1]
        assert (exchange.status, exchange.end, exchange.response_body) == (status, end, body)


@on_both_loops
async def test_upstream_that_refuses_is_502() -> None:
    async with line() as on:
        await on.upstream.stop()
        await _error(on, 502, "upstream_refused", End.UPSTREAM_REFUSED)


@on_both_loops
async def test_upstream_that_closes_before_an_answer_is_502_and_a_new_connection_is_not_retried() -> None:
    async with line(breaking_off(b"")) as on:
        await _error(on, 502, "upstream_closed", End.UPSTREAM_CLOSED)
        assert len(on.upstream.connections) == 2


@on_both_loops
async def test_upstream_that_closes_within_the_head_is_502() -> None:
    async with line(breaking_off(b"HTTP/1.1 200 OK\r\nContent-Le")) as on:
        await _error(on, 502, "upstream_closed", End.UPSTREAM_CLOSED)


@on_both_loops
async def test_upstream_that_talks_no_http_is_502() -> None:
    async with line(breaking_off(b"220 smtp ready\r\n")) as on:
        await _error(on, 502, "upstream_closed", End.UPSTREAM_CLOSED)
    async with line(breaking_off(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nzz")) as on:
        await _error(on, 502, "upstream_closed", End.UPSTREAM_CLOSED)
    async with line(breaking_off(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")) as on:
        await _error(on, 502, "upstream_closed", End.UPSTREAM_CLOSED)


@on_both_loops
async def test_silent_upstream_is_504() -> None:
    async with line(silent, upstream_timeout_s=0.2) as on:
        await _error(on, 504, "upstream_timeout", End.UPSTREAM_TIMEOUT)


@on_both_loops
async def test_upstream_that_keeps_sending_is_not_timed_out() -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        for byte in OK:
            await peer.send(bytes([byte]))
            await asyncio.sleep(0.02)
        await peer.message()

    async with line(script, upstream_timeout_s=0.3) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"ok"


@on_both_loops
async def test_kept_connection_that_was_closed_meanwhile_is_retried_once() -> None:
    async def one_answer(peer: Peer) -> None:
        await peer.message()
        await peer.send(OK)
        await peer.message()

    async with line(one_answer) as on:
        client = await on.connect()
        for _ in range(4):
            assert (await client.ask(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"))[1] == b"ok"
        assert len(on.upstream.connections) == 4
        assert {exchange.end for exchange in await on.ended(4)} == {End.ANSWERED}


@on_both_loops
async def test_retry_that_fails_too_is_502() -> None:
    answers = [OK]

    async def script(peer: Peer) -> None:
        await peer.message()
        if answers:
            await peer.send(answers.pop())
            await peer.message()

    async with line(script) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"ok"
        assert (await client.ask())[0].startswith(b"HTTP/1.1 502 ")
        assert len(on.upstream.connections) == 2


@on_both_loops
async def test_kept_connection_that_broke_off_within_an_answer_is_not_retried() -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(OK)
        await peer.message()
        await peer.send(b"HTTP/1.1 2")

    async with line(script) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"ok"
        assert (await client.ask())[0].startswith(b"HTTP/1.1 502 ")
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_unasked_bytes_of_the_upstream_never_become_the_next_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(OK)
        await asyncio.sleep(0.05)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await peer.rest()

    async with line(script) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"ok"
        await until(lambda: on.upstream.connections[0].left)
        assert (await client.ask())[1] == b"ok"
    async with line(breaking_off(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"ok"
        assert (await client.ask())[1] == b"ok"


async def _cut(
    answer: bytes, request: bytes = GET, *, reset: bool = False, timeout_s: float = 5.0
) -> tuple[bytes, bool]:
    """What a client reads of an answer that breaks off, and whether its connection was reset."""
    async with line(breaking_off(answer, reset=reset), upstream_timeout_s=timeout_s) as on:
        client = await on.connect()
        await client.send(request)
        await client.head()
        got = b""
        try:
            while data := await client.reader.read(100):
                got += data
        except ConnectionResetError:
            return got, True
        finally:
            exchange = (await on.ended())[0]
            assert exchange.status == 200
            assert exchange.end is End.UPSTREAM_CLOSED
        return got, False


@on_both_loops
async def test_cut_answer_with_a_length_stays_too_short() -> None:
    assert await _cut(CUT_IN_LENGTH) == (b"abc", False)


@on_both_loops
async def test_cut_chunked_answer_has_no_last_chunk() -> None:
    assert await _cut(CUT_IN_CHUNKS) == (b"3\r\nabc\r\n2\r\nde\r\n", False)


@on_both_loops
async def test_cut_answer_without_length_has_no_last_chunk() -> None:
    assert await _cut(b"HTTP/1.1 200 OK\r\n\r\nabc", reset=True) == (b"3\r\nabc\r\n", False)


@on_both_loops
async def test_cut_chunked_answer_is_reset_for_a_client_that_cannot_see_chunks() -> None:
    assert (await _cut(CUT_IN_CHUNKS, b"GET / HTTP/1.0\r\n\r\n"))[1]


@on_both_loops
async def test_answer_that_stalls_is_cut() -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(CUT_IN_LENGTH)
        await peer.rest()

    async with line(script, upstream_timeout_s=0.2) as on:
        client = await on.connect()
        await client.send(GET)
        await client.head()
        assert await client.rest() == b"abc"
        exchange = (await on.ended())[0]
        assert (exchange.status, exchange.end) == (200, End.UPSTREAM_TIMEOUT)


@on_both_loops
async def test_client_that_leaves_while_held_is_never_forwarded() -> None:
    async with line(handler=Remembering(effects=lambda request: Effect(0.3))) as on:
        client = await on.connect()
        await client.send(GET)
        await until(lambda: on.relay.in_flight == 1)
        client.close()
        exchange = (await on.ended())[0]
        assert (exchange.end, exchange.status, exchange.released_at) == (End.CLIENT_GONE, None, None)
        assert exchange.effect_at is not None
        await asyncio.sleep(exchange.effect_at + 0.4 - time.monotonic())
        assert on.upstream.connections == []


@on_both_loops
async def test_client_that_leaves_while_waiting_frees_the_upstream() -> None:
    async with line(silent) as on:
        client = await on.connect()
        await client.send(GET)
        await until(lambda: len(on.upstream.connections) == 1)
        client.close()
        await until(lambda: on.upstream.connections[0].left)
        exchange = (await on.ended())[0]
        assert (exchange.end, exchange.status) == (End.CLIENT_GONE, None)


@on_both_loops
async def test_client_that_leaves_within_an_answer_frees_the_upstream() -> None:
    async def endless(peer: Peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b"x" * 65536)

    async with line(endless) as on:
        client = await on.connect()
        await client.send(GET)
        await client.head()
        client.reset()
        exchange = (await on.ended())[0]
        assert (exchange.end, exchange.status) == (End.CLIENT_GONE, 200)
        assert on.relay.in_flight == 0


@on_both_loops
async def test_pipelined_requests_of_a_client_that_left_are_dropped() -> None:
    async with line(silent) as on:
        client = await on.connect()
        await client.send(GET * 3)
        await until(lambda: len(on.upstream.connections) == 1)
        client.reset()
        await until(lambda: on.relay.in_flight == 0)
        await asyncio.sleep(0.05)
        assert len(on.upstream.connections) == 1
        assert len(on.handler.exchanges) == 1


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400, "bad_request"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad_request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413, "body_too_large"),
        (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n", 413, "body_too_large"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, 413, "body_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 40_000, 431, "head_too_large"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 400_000, 431, "head_too_large"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nxyz", 501, "not_a_forward_proxy"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "unknown_transfer_coding"),
    ],
)
async def test_request_that_cannot_be_taken_is_refused_after_those_before_it(
    sent: bytes, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with line(handler=Remembering(effects=lambda request: Effect(0.05)), max_body_bytes=1000) as on:
        client = await on.connect()
        await client.send(GET + sent)
        assert (await client.message())[1] == b"ok"
        head, body = await client.message()
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert json.loads(body)["error"] == code
        assert await client.is_closed()
        assert len(on.handler.exchanges) == 1
        assert on.relay.refused == 1
    assert caplog.records == []


@on_both_loops
async def test_refusal_reaches_a_client_that_is_still_sending() -> None:
    async with line(max_body_bytes=1000) as on:
        client = await on.connect()
        await client.send(b"POST / HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 8_000_000)
        assert (await client.message())[0].startswith(b"HTTP/1.1 413 ")


@on_both_loops
async def test_body_at_the_limit_is_taken() -> None:
    async with line(max_body_bytes=1000) as on:
        client = await on.connect()
        assert (await client.ask(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000))[
            1
        ] == b"ok"


@on_both_loops
async def test_half_a_request_is_nobodys_exchange() -> None:
    async with line() as on:
        client = await on.connect()
        await client.send(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        client.writer.write_eof()
        assert await client.rest() == b""
        assert on.handler.exchanges == []


@on_both_loops
async def test_taken_port_is_an_error_of_the_caller() -> None:
    async with line() as on:
        with pytest.raises(OSError, match="address already in use"):
            await serve("http://127.0.0.1:1", Remembering(), port=on.relay.port)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://a:1", "https://a", "http://a", "http://a:1/path", "http://a:x", "http://:1", ""]
)
def test_upstream_must_be_an_http_address(url: str) -> None:
    with pytest.raises(ValueError, match="fix: write"):
        upstream_address(url)


@on_both_loops
async def test_an_upstream_that_never_comes_to_its_body_is_given_up_in_bounded_memory() -> None:
    for start, piece in (
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ):
        block, taken = piece * (0x10000 // len(piece)), [0]

        async def flood(peer: Peer, start: bytes = start, block: bytes = block, taken: list[int] = taken) -> None:
            await peer.message()
            await peer.send(start)
            while True:
                await peer.send(block)
                taken[0] += len(block)

        async with line(flood) as on:
            client = await on.connect()
            await client.send(GET)
            got = b""
            while b'"upstream_closed"' not in got:
                got += await client.reader.read(1 << 16)
            assert (await on.ended())[0].end is End.UPSTREAM_CLOSED
            assert taken[0] < 32 << 20  # what the kernel holds between them


@on_both_loops
async def test_trailers_without_end_are_given_up() -> None:
    async def flood(peer: Peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n")
        while True:
            await peer.send(b"X: y\r\n" * 1000)

    async with line(flood) as on:
        client = await on.connect()
        await client.send(GET)
        await client.rest()
        assert (await on.ended())[0].end is End.UPSTREAM_CLOSED
