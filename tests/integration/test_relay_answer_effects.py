"""Effects of a relay on answers, over real sockets: edited, cut off, slowed."""

import asyncio
import socket
import time
import tracemalloc
from typing import NamedTuple

import pytest
from sockets import GET, Line, Peer, Remembering, Script, line, on_both_loops, until

from alertdrill.relay.exchange import KEPT_BODY_BYTES, Effect, End, Request, Response

LENGTH = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TEN = b"0123456789"
IN_CHUNKS = CHUNKED + b"4\r\n0123\r\n6\r\n456789\r\n0\r\nX-Sum: 9\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n" + TEN
LIMIT_BYTES = 8 * KEPT_BODY_BYTES


def shout(body: bytes) -> bytes:
    """Another body of the same length."""
    return bytes(255 - byte for byte in body)


def touching(effect: Effect, only: bytes = b"/") -> Remembering:
    """A handler that puts an effect on every request whose target begins so."""
    return Remembering(effects=lambda request: effect if request.target.startswith(only) else None)


def always(answer: bytes, *, close: bool = False) -> Script:
    """Answer every request so."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.message()
            await peer.send(answer)
            if close:
                return

    return script


class Gated:
    """An upstream script that sends the beginning of an answer, and waits to be told before it goes on."""

    def __init__(self, first: bytes, then: bytes = b"", *, die: bool = False) -> None:
        self.gate = asyncio.Event()
        self._first, self._then, self._die = first, then, die

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.message()
            await peer.send(self._first)
            await self.gate.wait()
            if self._die:
                return
            await peer.send(self._then)


async def flood(peer: Peer, size: int, block: bytes = bytes(1 << 18)) -> None:
    """Send that many bytes."""
    for _ in range(size // len(block)):
        await peer.send(block)


class Got(NamedTuple):
    """What a client read until the connection ended, and whether that was by a reset."""

    data: bytes
    reset: bool


async def all_of(client: Peer) -> Got:
    data = b""
    try:
        while piece := await client.reader.read(1 << 16):
            data += piece
    except ConnectionResetError:
        return Got(data, True)
    return Got(data, False)


async def dechunked(client: Peer) -> bytes:
    """The body of a chunked answer, up to its last chunk and trailers."""
    body = b""
    while size := int(await client.reader.readline(), 16):
        body += await client.reader.readexactly(size)
        assert await client.reader.readexactly(2) == b"\r\n"
    while await client.reader.readline() != b"\r\n":
        pass
    return body


async def only(on: Line) -> tuple[End, int | None, bool, bool]:
    """End, status, cut and whether the effect was real, of the first exchange; nothing is left under way."""
    exchange = (await on.ended())[0]
    assert on.relay.in_flight == 0
    return exchange.end, exchange.status, exchange.cut, exchange.effect_at is not None


# edited answers


@on_both_loops
async def test_edited_answer_keeps_its_framing_and_the_connection() -> None:
    async with line(always(LENGTH + TEN), touching(Effect(edit=shout), only=b"/edit")) as on:
        client = await on.connect()
        await client.send(GET.replace(b"/x", b"/edit") * 2 + GET)
        assert [await client.message() for _ in range(3)] == [(LENGTH, shout(TEN))] * 2 + [(LENGTH, TEN)]
        first, _, third = await on.ended(3)
        assert (first.response_body, third.response_body) == (shout(TEN), TEN)
        assert first.request.received_at <= (first.effect_at or 0.0) <= first.ended_at
        assert (b"x-a", b"1") in first.response_headers
        assert third.effect_at is None
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_edited_chunked_answer_is_one_chunk_with_its_trailers() -> None:
    async with line(always(IN_CHUNKS), touching(Effect(edit=shout))) as on:
        client = await on.connect()
        for _ in range(2):
            await client.send(GET)
            assert await client.head() == CHUNKED
            assert await client.head() == b"a\r\n" + shout(TEN) + b"\r\n0\r\nX-Sum: 9\r\n\r\n"


@on_both_loops
async def test_edited_answer_until_close_is_whole() -> None:
    async with line(always(UNTIL_CLOSE, close=True), touching(Effect(edit=shout))) as on:
        client = await on.connect()
        await client.send(GET)
        await client.head()
        assert await dechunked(client) == shout(TEN)
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await all_of(client)).data.endswith(b"\r\n\r\n" + shout(TEN))


@on_both_loops
async def test_answers_without_a_body_are_not_edited() -> None:
    empty_chunks = CHUNKED + b"0\r\n\r\n"
    cases = [(b"HEAD", LENGTH), (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"), (b"GET", empty_chunks)]
    for method, answer in cases:
        async with line(always(answer), touching(Effect(edit=shout))) as on:
            client = await on.connect()
            for _ in range(2):
                await client.send(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n")
                assert await client.reader.readexactly(len(answer)) == answer
            assert await only(on) == (End.ANSWERED, int(answer[9:12]), False, False)


@on_both_loops
async def test_answer_that_is_edited_into_itself_is_no_effect() -> None:
    async with line(handler=touching(Effect(edit=bytes))) as on:
        assert (await (await on.connect()).ask())[1] == b"ok"
        assert await only(on) == (End.ANSWERED, 200, False, False)


@on_both_loops
async def test_answer_at_the_limit_is_edited_and_a_longer_one_passes_as_it_is() -> None:
    for size, edited in ((KEPT_BODY_BYTES, True), (KEPT_BODY_BYTES + 1, False)):
        body = bytes(size)
        heads = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, b"HTTP/1.1 200 OK\r\n\r\n"]
        for head in heads:
            async with line(always(head + body, close=True), touching(Effect(edit=shout))) as on:
                client = await on.connect()
                await client.send(b"GET / HTTP/1.0\r\n\r\n")
                got = await all_of(client)
                assert got.data.partition(b"\r\n\r\n")[2] == (shout(body) if edited else body)
                assert (await only(on))[3] is edited


@on_both_loops
async def test_edit_that_fails_or_changes_the_length_is_counted_and_passes_the_answer() -> None:
    def fail(body: bytes) -> bytes:
        raise RuntimeError("a bug")

    for edit in (fail, lambda body: body + b"!"):
        async with line(always(LENGTH + TEN), touching(Effect(edit=edit))) as on:
            client = await on.connect()
            assert (await client.ask())[1] == TEN
            assert (await client.ask())[1] == TEN
            assert on.relay.handler_errors == 2
            assert await only(on) == (End.ANSWERED, 200, False, False)


@on_both_loops
async def test_upstream_that_dies_within_an_answer_to_edit_passes_what_came() -> None:
    upstream = Gated(LENGTH + TEN[:4], die=True)
    async with line(upstream, touching(Effect(edit=shout))) as on:
        client = await on.connect()
        await client.send(GET)
        assert await client.head() == LENGTH
        upstream.gate.set()
        assert await all_of(client) == (TEN[:4], False)
        assert await only(on) == (End.UPSTREAM_CLOSED, 200, True, False)


@on_both_loops
async def test_upstream_that_refuses_is_502_whatever_was_to_happen_to_the_answer() -> None:
    for effect in (Effect(edit=shout), Effect(kept=0.5), Effect(download_s=15.0)):
        async with line(handler=touching(effect)) as on:
            await on.upstream.stop()
            client = await on.connect()
            head, body = await client.ask()
            assert (head[9:12], b"upstream_refused" in body) == (b"502", True)
            assert await only(on) == (End.UPSTREAM_REFUSED, 502, False, False)


@on_both_loops
async def test_release_within_an_answer_leaves_it_as_it_is() -> None:
    for effect in (Effect(edit=shout), Effect(kept=0.0), Effect(edit=shout, kept=0.0, download_s=15.0)):
        upstream = Gated(LENGTH + TEN[:4], TEN[4:])
        async with line(upstream, touching(effect, only=b"/x")) as on:
            client = await on.connect()
            await client.send(GET)
            assert await client.head() == LENGTH
            on.relay.release_held()
            assert await client.reader.readexactly(4) == TEN[:4]
            upstream.gate.set()
            assert await client.reader.readexactly(6) == TEN[4:]
            assert await only(on) == (End.ANSWERED, 200, False, False)
            assert (await client.ask(GET.replace(b"/x", b"/y")))[1] == TEN


@on_both_loops
async def test_client_that_leaves_within_an_answer_to_alter_frees_the_upstream() -> None:
    for effect in (Effect(edit=shout), Effect(kept=0.5), Effect(download_s=15.0)):
        upstream = Gated(LENGTH + TEN[:4])
        async with line(upstream, touching(effect)) as on:
            client = await on.connect()
            await client.send(GET)
            assert await client.head() == LENGTH
            client.reset()
            assert (await only(on))[:3] == (End.CLIENT_GONE, 200, True)
            await until(lambda on=on: on.upstream.connections[0].left)  # type: ignore[misc]
            upstream.gate.set()


# answers cut off


@pytest.mark.parametrize(("kept", "count"), [(0.0, 0), (0.5, 5), (0.59, 5), (1.0, 9)])
async def test_cut_answer_promises_the_whole_length_and_brings_its_share(kept: float, count: int) -> None:
    async with line(always(LENGTH + TEN), touching(Effect(kept=kept), only=b"/cut")) as on:
        for _ in range(2):
            client = await on.connect()
            await client.send(GET.replace(b"/x", b"/cut") + GET)
            assert await all_of(client) == (LENGTH + TEN[:count], False)
        assert await only(on) == (End.CUT, 200, True, True)
        assert on.handler.exchanges[0].response_body == TEN[:count]
        assert len(on.handler.exchanges) == 2
        assert len(on.upstream.connections) == 1  # the server's answer was taken whole


@on_both_loops
async def test_cut_answer_without_a_length_has_no_last_chunk() -> None:
    for answer in (IN_CHUNKS, UNTIL_CLOSE):
        async with line(always(answer, close=True), touching(Effect(kept=0.5))) as on:
            client = await on.connect()
            await client.send(GET)
            await client.head()
            got = await all_of(client)
            assert b"".join(got.data.split(b"\r\n")[1::2]) == TEN[:5]
            assert not got.data.endswith(b"0\r\n\r\n")
            assert await only(on) == (End.CUT, 200, True, True)


@on_both_loops
async def test_cut_answer_is_reset_for_a_client_that_cannot_see_chunks() -> None:
    async with line(always(IN_CHUNKS), touching(Effect(kept=0.5))) as on:
        client = await on.connect()
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await all_of(client)).reset
        assert await only(on) == (End.CUT, 200, True, True)


@on_both_loops
async def test_cut_answer_without_a_body_has_no_end_of_its_head() -> None:
    answers = [(b"HEAD", LENGTH), (b"GET", b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n")]
    answers += [(b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    for method, answer in answers:
        async with line(always(answer), touching(Effect(kept=0.5))) as on:
            client = await on.connect()
            await client.send(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert await all_of(client) == (answer[:-2], False)
            assert await only(on) == (End.CUT, int(answer[9:12]), True, True)


@on_both_loops
async def test_cut_empty_chunked_answer_has_no_last_chunk() -> None:
    async with line(always(CHUNKED + b"0\r\n\r\n"), touching(Effect(kept=0.5))) as on:
        client = await on.connect()
        await client.send(GET)
        assert await all_of(client) == (CHUNKED, False)
        assert await only(on) == (End.CUT, 200, True, True)


@on_both_loops
async def test_share_of_an_answer_to_cut_is_passed_on_as_it_comes() -> None:
    for framed in (LENGTH, b"HTTP/1.1 200 OK\r\n\r\n"):
        upstream = Gated(framed + TEN[:8], TEN[8:])
        async with line(upstream, touching(Effect(kept=0.5))) as on:
            client = await on.connect()
            await client.send(GET)
            await client.head()
            early = 5 if framed is LENGTH else 4
            data = await client.reader.readexactly(early if framed is LENGTH else 3 + early)
            assert data.endswith(TEN[:early])
            upstream.gate.set()


@on_both_loops
async def test_upstream_that_dies_within_an_answer_to_cut_has_cut_it_by_itself() -> None:
    upstream = Gated(LENGTH + TEN[:8], die=True)
    async with line(upstream, touching(Effect(kept=0.5))) as on:
        client = await on.connect()
        await client.send(GET)
        await client.head()
        upstream.gate.set()
        assert await all_of(client) == (TEN[:8], False)
        assert await only(on) == (End.UPSTREAM_CLOSED, 200, True, False)


@on_both_loops
async def test_answer_too_long_to_keep_back_is_cut_within_bounds() -> None:
    size = 64 << 20

    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        await flood(peer, size)

    async with line(script, touching(Effect(kept=0.0))) as on:
        client = await on.connect()
        tracemalloc.start()
        await client.send(GET)
        assert (await all_of(client)).data.endswith(b"Content-Length: %d\r\n\r\n" % size)
        assert tracemalloc.get_traced_memory()[1] < LIMIT_BYTES
        tracemalloc.stop()
        assert await only(on) == (End.CUT, 200, True, True)
        await until(lambda: on.upstream.connections[0].left)


# slow answers


async def _timed(client: Peer, count: int) -> list[tuple[float, bytes]]:
    """Each piece of the next `count` bytes, and when it came, in seconds from now."""
    started, pieces = time.monotonic(), []
    while count:
        piece = await client.reader.read(count)
        assert piece
        pieces.append((time.monotonic() - started, piece))
        count -= len(piece)
    return pieces


@on_both_loops
async def test_slow_answer_brings_the_head_at_once_and_the_body_evenly() -> None:
    async with line(always(LENGTH + TEN), touching(Effect(download_s=0.5))) as on:
        client = await on.connect()
        for count in (1, 2):
            started = time.monotonic()
            await client.send(GET)
            assert await client.head() == LENGTH
            assert time.monotonic() - started < 0.2
            pieces = await _timed(client, 10)
            assert b"".join(piece for _, piece in pieces) == TEN
            assert 0.4 < pieces[-1][0] < 0.8
            assert len(pieces) >= 6
            exchange = (await on.ended(count))[-1]
            assert 0.2 < exchange.ended_at - (exchange.effect_at or 0.0) < 0.6
            assert (exchange.end, exchange.response_body) == (End.ANSWERED, TEN)
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_head_of_a_slow_answer_does_not_wait_for_its_body() -> None:
    async with line(always(LENGTH + TEN), touching(Effect(download_s=30.0))) as on:
        client = await on.connect()
        await client.send(GET)
        assert await asyncio.wait_for(client.head(), 0.5) == LENGTH
        client.reset()
        assert await only(on) == (End.CLIENT_GONE, 200, True, False)


@on_both_loops
async def test_slow_chunked_answer_keeps_its_trailers() -> None:
    async with line(always(IN_CHUNKS), touching(Effect(download_s=0.3))) as on:
        client = await on.connect()
        await client.send(GET + GET)
        started = time.monotonic()
        for _ in range(2):
            await client.head()
            assert await dechunked(client) == TEN
        assert 0.6 <= time.monotonic() - started < 1.2


@on_both_loops
async def test_slow_answer_without_a_body_is_no_effect() -> None:
    for answer in (b"HTTP/1.1 204 No Content\r\n\r\n", CHUNKED + b"0\r\n\r\n"):
        async with line(always(answer), touching(Effect(download_s=15.0))) as on:
            client = await on.connect()
            await client.send(GET)
            assert await client.reader.readexactly(len(answer)) == answer
            assert await only(on) == (End.ANSWERED, int(answer[9:12]), False, False)


@on_both_loops
async def test_upstream_connection_is_free_for_others_while_a_slow_answer_lasts() -> None:
    async with line(always(LENGTH + TEN), touching(Effect(download_s=15.0), only=b"/slow")) as on:
        slow, other = await on.connect(), await on.connect()
        await slow.send(GET.replace(b"/x", b"/slow"))
        await slow.head()
        slow.stop_reading()
        for _ in range(3):
            assert (await other.ask())[1] == TEN
        assert len(on.upstream.connections) == 1
        slow.reset()
        await until(lambda: on.relay.in_flight == 0)
        assert (await other.ask())[1] == TEN
        assert len(on.upstream.connections) == 1
        gone = on.handler.exchanges[3]
        assert (gone.end, gone.cut, gone.status) == (End.CLIENT_GONE, True, 200)


@on_both_loops
async def test_upstream_that_dies_within_a_slow_answer_cuts_it_after_what_came() -> None:
    async with line(always(LENGTH + TEN[:8], close=True), touching(Effect(download_s=0.4))) as on:
        client = await on.connect()
        await client.send(GET)
        await client.head()
        pieces = await _timed(client, 8)
        assert b"".join(piece for _, piece in pieces) == TEN[:8]
        assert 0.2 < pieces[-1][0] < 0.6
        assert await client.is_closed()
        assert await only(on) == (End.UPSTREAM_CLOSED, 200, True, True)


@on_both_loops
async def test_release_sends_the_rest_of_a_slow_answer_at_once() -> None:
    body = bytes(range(256)) * 100
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body]
    answers += [CHUNKED + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"]
    for number, answer in enumerate(answers):
        async with line(always(answer), touching(Effect(download_s=15.0))) as on:
            client = await on.connect()
            await client.send(GET)
            await client.head()
            first = await client.reader.read(1)
            on.relay.release_held()
            on.relay.release_held()
            if number == 0:
                assert first + await client.reader.readexactly(len(body) - 1) == body
            else:
                assert (await client.reader.readuntil(b"0\r\n\r\n")).count(b"0\r\n\r\n") == 1
            assert await only(on) == (End.ANSWERED, 200, False, True)
            assert on.handler.exchanges[0].response_body == body


@on_both_loops
async def test_slow_answer_of_any_size_is_kept_back_within_bounds_and_arrives_whole() -> None:
    block, size, sent = bytes(range(256)) * 1024, 48 << 20, 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(block)):
            await peer.send(block)
            sent += len(block)
        await peer.message()

    async with line(script, touching(Effect(download_s=1.0)), upstream_timeout_s=0.3) as on:
        client = await on.connect()
        client.stop_reading()
        tracemalloc.start()
        await client.send(GET)
        await until(lambda: sent > 0)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.5)
        assert sent < size // 2
        assert tracemalloc.get_traced_memory()[1] < LIMIT_BYTES
        tracemalloc.stop()
        client.read_on()
        await client.head()
        for _ in range(size // len(block)):
            assert await client.reader.readexactly(len(block)) == block
        assert await only(on) == (End.ANSWERED, 200, False, True)
        assert len(on.handler.exchanges[0].response_body) == KEPT_BODY_BYTES


@on_both_loops
async def test_a_client_that_does_not_read_the_end_of_a_slow_answer_gets_it_once() -> None:
    body = bytes(range(256)) * (4 << 10)
    answer = CHUNKED + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    async with line(always(answer), touching(Effect(download_s=0.2))) as on:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", on.relay.port))
        client = Peer(*await asyncio.open_connection(sock=connection, limit=4096))
        on.clients.append(client)
        client.stop_reading()
        await until(lambda: len(on.relay._clients) == 1)
        (other_end,) = on.relay._clients
        other_end._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await client.send(GET + GET)
        await until(lambda: len(on.upstream.connections) == 1)
        await asyncio.sleep(0.4)
        assert on.relay.in_flight == 1
        on.relay.release_held()
        on.relay.release_held()
        client.read_on()
        for _ in range(2):
            assert await client.head() == CHUNKED
            assert await dechunked(client) == body
        assert await only(on) == (End.ANSWERED, 200, False, True)


@on_both_loops
async def test_a_slow_answer_kept_back_to_the_limit_is_read_no_further_however_well_its_client_reads() -> None:
    sent, size = 0, 64 << 20

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size >> 18):
            await peer.send(bytes(1 << 18))
            sent += 1 << 18

    async with line(script, touching(Effect(download_s=600.0))) as on:
        client = await on.connect()
        await client.send(GET)
        await client.head()
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)
        (flight,) = on.relay._control.flights
        for _ in range(200):
            flight.client_drained()  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        assert sent < before + (2 << 20)


# together


@on_both_loops
async def test_effects_follow_one_another() -> None:
    effect = Effect(delay_s=0.1, upload_s=0.1, edit=shout, kept=0.5, download_s=0.2)
    async with line(always(LENGTH + TEN), touching(effect)) as on:
        client = await on.connect()
        started = time.monotonic()
        await client.send(GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello"))
        assert await all_of(client) == (LENGTH + shout(TEN)[:5], False)
        assert 0.29 < time.monotonic() - started < 1.0
        assert await only(on) == (End.CUT, 200, True, True)


@on_both_loops
async def test_an_answer_in_place_can_be_slow_edited_or_cut_too() -> None:
    def handle(request: Request) -> Effect:
        answer = Response(200, ((b"X-A", b"1"),), TEN)
        return {
            b"/slow": Effect(answer=answer, download_s=0.2),
            b"/edit": Effect(answer=answer, edit=shout),
            b"/cut": Effect(answer=answer, kept=0.5),
        }[request.target]

    async with line(handler=Remembering(effects=handle)) as on:
        client = await on.connect()
        started = time.monotonic()
        assert await client.ask(GET.replace(b"/x", b"/slow")) == (LENGTH, TEN)
        assert 0.19 < time.monotonic() - started < 0.8
        assert await client.ask(GET.replace(b"/x", b"/edit")) == (LENGTH, shout(TEN))
        await client.send(GET.replace(b"/x", b"/cut"))
        assert await all_of(client) == (LENGTH + TEN[:5], False)
        assert on.upstream.connections == []
