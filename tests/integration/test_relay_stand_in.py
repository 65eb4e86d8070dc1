"""An answer of last resort: what the upstream has goes before it, over real sockets."""

import socket

from sockets import Line, Peer, Remembering, Script, line, on_both_loops

from alertdrill.relay.exchange import End, Response
from alertdrill.relay.server import serve

PAGE = Response(200, ((b"Content-Type", b"text/html"),), b"a page", last_resort=True)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n"

LENGTH = b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nnothing"
CHUNKED = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def handler() -> Remembering:
    return Remembering(answers=lambda request: PAGE)


def saying(answer: bytes, *, then_close: bool = False) -> Script:
    async def script(peer: Peer) -> None:
        while True:
            await peer.message()
            await peer.send(answer)
            if then_close:
                return

    return script


async def asked_twice(on: Line) -> None:
    """The page both times, on one connection."""
    client = await on.connect()
    assert await client.ask() == (HEAD, b"a page")
    assert await client.ask() == (HEAD, b"a page")


@on_both_loops
async def test_what_the_upstream_has_is_passed_on_unaltered() -> None:
    async with line(handler=handler()) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"ok"
        (exchange,) = await on.ended()
        assert (exchange.status, exchange.end) == (200, End.ANSWERED)


@on_both_loops
async def test_it_is_given_where_the_upstream_answers_404() -> None:
    for answer in (LENGTH, CHUNKED, EMPTY):
        async with line(saying(answer), handler()) as on:
            await asked_twice(on)
            assert len(on.upstream.connections) == 1, "the upstream's connection is kept"


@on_both_loops
async def test_it_is_given_where_the_upstream_cannot_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with line(handler=handler()) as on:
        relay = await serve(f"http://127.0.0.1:{port}", handler())
        await asked_twice(Line(relay, on.upstream, on.handler, on.clients))
        await relay.close()


@on_both_loops
async def test_it_is_given_where_the_upstream_ends_within_its_404() -> None:
    broken = saying(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nhalf", then_close=True)
    async with line(broken, handler()) as on:
        await asked_twice(on)


@on_both_loops
async def test_it_is_given_at_once_where_nothing_is_behind_the_relay() -> None:
    async with line(handler=handler()) as on:
        relay = await serve(None, handler())
        await asked_twice(Line(relay, on.upstream, on.handler, on.clients))
        await relay.close()
