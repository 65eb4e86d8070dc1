"""Effects of a relay on requests, over real sockets: held, slowed, answered in place, reset, left in silence."""

import asyncio
import gc
import random
import time
from contextlib import suppress

from sockets import GET, OK, Line, Peer, Remembering, line, on_both_loops, until

from alertdrill.relay.dripped import Dripped
from alertdrill.relay.edited import Edited
from alertdrill.relay.exchange import Cut, Effect, End, Exchange, Response
from alertdrill.relay.pace import Pace
from alertdrill.relay.shaper import Shaper
from alertdrill.relay.touched import Touched
from alertdrill.relay.truncated import Truncated
from alertdrill.relay.upload import Upload

BODY = bytes(range(100))
POST = b"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n" + BODY
BUSY = Response(503, ((b"Content-Type", b"text/plain"), (b"Retry-After", b"1")), b"busy")
BUSY_HEAD = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\n"
)


def touching(effect: Effect, only: bytes = b"/") -> Remembering:
    """A handler that puts an effect on every request whose target begins so."""
    return Remembering(effects=lambda request: effect if request.target.startswith(only) else None)


class Watched:
    """An upstream script that notes when each piece of a body came, and answers the whole."""

    def __init__(self) -> None:
        self.pieces: list[tuple[float, bytes]] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.head()
            self.pieces.append((time.monotonic(), b""))
            left = len(BODY)
            while left:
                piece = await peer.reader.read(left)
                if not piece:
                    return
                self.pieces.append((time.monotonic(), piece))
                left -= len(piece)
            await peer.send(OK)

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)


def of_exchanges() -> list[object]:
    """What is alive of exchanges with an effect."""
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, Touched | Shaper | Upload | Pace)]


def instants(exchange: Exchange) -> tuple[float, float]:
    """When the effect was real, and when the request went on."""
    assert exchange.effect_at is not None
    assert exchange.released_at is not None
    return exchange.effect_at, exchange.released_at


# slow uploads


@on_both_loops
async def test_slow_upload_sends_the_head_at_once_and_the_body_evenly() -> None:
    upstream = Watched()
    async with line(upstream, touching(Effect(upload_s=0.5))) as on:
        client = await on.connect()
        assert (await client.ask(POST))[1] == b"ok"
        (exchange,) = await on.ended()
        effect_at, released_at = instants(exchange)
        times = [at - upstream.pieces[0][0] for at, _ in upstream.pieces]
        assert upstream.body == BODY
        assert abs(effect_at - upstream.pieces[0][0]) < 0.2
        assert abs(released_at - effect_at) < 0.2
        assert 0.45 < times[-1] < 0.8
        assert len(upstream.pieces) >= 8
        assert max(len(piece) for _, piece in upstream.pieces) <= 30
        assert (exchange.end, exchange.status, exchange.cut) == (End.ANSWERED, 200, False)


@on_both_loops
async def test_connection_of_a_slow_upload_is_kept() -> None:
    async with line(handler=touching(Effect(upload_s=0.05))) as on:
        client = await on.connect()
        for _ in range(3):
            assert (await client.ask(POST))[1] == b"ok"
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_slow_upload_without_a_body_is_no_effect() -> None:
    async with line(handler=touching(Effect(upload_s=15.0))) as on:
        client = await on.connect()
        assert (await client.ask(GET))[1] == b"ok"
        (exchange,) = await on.ended()
        assert exchange.effect_at is None
        assert exchange.released_at is not None


@on_both_loops
async def test_slow_upload_may_take_longer_than_the_upstream_may_take_to_answer() -> None:
    async with line(handler=touching(Effect(upload_s=1.0)), upstream_timeout_s=0.4) as on:
        client = await on.connect()
        assert (await client.ask(POST))[1] == b"ok"


@on_both_loops
async def test_answer_before_the_end_of_an_upload_ends_it_and_the_connection() -> None:
    async def hasty(peer: Peer) -> None:
        await peer.head()
        await peer.send(OK.replace(b"200 OK", b"413 Too Large"))
        await peer.rest()

    async with line(hasty, touching(Effect(upload_s=15.0))) as on:
        client = await on.connect()
        for count in (1, 2):
            assert (await client.ask(POST))[0].startswith(b"HTTP/1.1 413 ")
            assert len(on.upstream.connections) == count
            await until(lambda: all(peer.left for peer in on.upstream.connections))
        assert on.relay.in_flight == 0


@on_both_loops
async def test_client_that_leaves_within_a_slow_upload_frees_the_upstream() -> None:
    upstream = Watched()
    async with line(upstream, touching(Effect(upload_s=15.0))) as on:
        client = await on.connect()
        await client.send(POST)
        await until(lambda: len(upstream.pieces) > 1)
        client.reset()
        (exchange,) = await on.ended()
        assert (exchange.end, exchange.status, exchange.cut) == (End.CLIENT_GONE, None, True)
        assert exchange.effect_at is not None
        await until(lambda: on.upstream.connections[0].left)
        assert on.relay.in_flight == 0
        assert len(upstream.body) < len(BODY)


@on_both_loops
async def test_upstream_that_dies_within_a_slow_upload_is_502() -> None:
    async def dying(peer: Peer) -> None:
        await peer.head()
        await peer.reader.readexactly(10)

    async with line(dying, touching(Effect(upload_s=0.5))) as on:
        client = await on.connect()
        assert (await client.ask(POST))[0].startswith(b"HTTP/1.1 502 ")
        (exchange,) = await on.ended()
        assert exchange.end is End.UPSTREAM_CLOSED
        assert exchange.effect_at is not None
        assert on.relay.in_flight == 0


@on_both_loops
async def test_slow_upload_on_a_connection_that_was_closed_meanwhile_begins_anew() -> None:
    bodies: list[bytes] = []

    async def one_answer(peer: Peer) -> None:
        bodies.append((await peer.message())[1])
        await peer.send(OK)
        await peer.reader.read(1)

    async with line(one_answer, touching(Effect(upload_s=0.1))) as on:
        client = await on.connect()
        for _ in range(3):
            assert (await client.ask(POST))[1] == b"ok"
        assert bodies == [BODY] * 3


@on_both_loops
async def test_release_sends_the_rest_of_a_slow_upload_at_once() -> None:
    upstream = Watched()
    async with line(upstream, touching(Effect(upload_s=15.0))) as on:
        client = await on.connect()
        await client.send(POST)
        await until(lambda: len(upstream.pieces) > 1)
        on.relay.release_held()
        assert (await asyncio.wait_for(client.message(), 5))[1] == b"ok"
        assert upstream.body == BODY
        assert (on.relay.in_flight, on.upstream.connections[0].left) == (0, False)


# answers given in place


@on_both_loops
async def test_answer_in_place_is_given_without_asking_the_upstream_and_keeps_the_connection() -> None:
    async with line(handler=touching(Effect(answer=BUSY), only=b"/predict")) as on:
        client = await on.connect()
        assert await client.ask(POST) == (BUSY_HEAD, b"busy")
        assert await client.ask(POST) == (BUSY_HEAD, b"busy")
        assert on.upstream.connections == []
        assert (await client.ask(GET))[1] == b"ok"
        first = (await on.ended(3))[0]
        assert (first.end, first.status, first.response_body, first.cut) == (End.ANSWERED, 503, b"busy", False)
        assert first.request.received_at <= (first.effect_at or 0.0) <= first.ended_at
        assert first.released_at is None


@on_both_loops
async def test_answer_in_place_to_head_has_no_body() -> None:
    async with line(handler=touching(Effect(answer=BUSY), only=b"/predict")) as on:
        client = await on.connect()
        await client.send(b"HEAD /predict HTTP/1.1\r\nHost: h\r\n\r\n" + GET)
        assert await client.head() == BUSY_HEAD
        assert (await client.message())[1] == b"ok"


@on_both_loops
async def test_answer_in_place_may_have_a_status_without_a_name() -> None:
    async with line(handler=touching(Effect(answer=Response(599, (), b"")))) as on:
        client = await on.connect()
        assert await client.ask() == (b"HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n", b"")


@on_both_loops
async def test_thousands_of_pipelined_requests_can_be_answered_in_place() -> None:
    async with line(handler=touching(Effect(answer=BUSY), only=b"/predict")) as on:
        client = await on.connect()
        await client.send(POST * 2000 + GET)
        assert [(await client.message())[1] for _ in range(2001)] == [b"busy"] * 2000 + [b"ok"]


@on_both_loops
async def test_answer_in_place_comes_after_the_delay() -> None:
    async with line(handler=touching(Effect(0.2, answer=BUSY))) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"busy"
        (exchange,) = await on.ended()
        assert exchange.effect_at is not None
        assert exchange.ended_at - exchange.effect_at > 0.19


@on_both_loops
async def test_release_forwards_what_is_held_whatever_was_to_follow() -> None:
    effects = [Effect(15.0, answer=BUSY), Effect(15.0, cut=Cut.RESET), Effect(15.0, cut=Cut.SILENCE)]
    effects += [Effect(15.0, upload_s=15.0), Effect(15.0, download_s=15.0), Effect(15.0, kept=0.5)]
    for effect in effects:
        async with line(handler=touching(effect)) as on:
            client = await on.connect()
            await client.send(POST)
            await until(lambda on=on: on.relay.in_flight == 1)  # type: ignore[misc]
            on.relay.release_held()
            assert (await asyncio.wait_for(client.message(), 5))[1] == b"ok"
            effect_at, released_at = instants((await on.ended())[0])
            assert effect_at < released_at


# connections reset, and silence


@on_both_loops
async def test_reset_reaches_the_client_and_nothing_reaches_the_upstream() -> None:
    async with line(handler=touching(Effect(cut=Cut.RESET), only=b"/predict")) as on:
        for _ in range(2):
            client = await on.connect()
            assert (await client.ask(GET))[1] == b"ok"
            await client.send(POST + GET)
            reset = False
            try:
                await client.rest()
            except ConnectionResetError:
                reset = True
            assert reset
        exchange = (await on.ended(4))[1]
        assert (exchange.end, exchange.status, exchange.cut) == (End.CUT, None, True)
        assert exchange.effect_at is not None
        assert exchange.released_at is None
        assert on.relay.in_flight == 0
        assert len(on.handler.exchanges) == 4
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_reset_comes_after_the_delay() -> None:
    async with line(handler=touching(Effect(0.2, cut=Cut.RESET))) as on:
        client = await on.connect()
        await client.send(GET)
        started = time.monotonic()
        with suppress(ConnectionResetError):
            await client.rest()
        assert time.monotonic() - started > 0.19
        (exchange,) = await on.ended()
        assert exchange.effect_at is not None
        assert exchange.ended_at - exchange.effect_at > 0.19


@on_both_loops
async def test_silence_lasts_until_the_client_leaves() -> None:
    async with line(handler=touching(Effect(cut=Cut.SILENCE), only=b"/predict"), upstream_timeout_s=0.1) as on:
        client, other = await on.connect(), await on.connect()
        await client.send(POST + GET)
        await until(lambda: on.relay.in_flight == 1)
        assert (await other.ask())[1] == b"ok"
        await asyncio.sleep(0.3)  # past every limit of the upstream
        assert (on.relay.in_flight, client.left) == (1, False)
        client.close()
        exchange = (await on.ended(2))[1]
        assert (exchange.end, exchange.status, exchange.cut) == (End.CLIENT_GONE, None, True)
        assert exchange.request.received_at <= (exchange.effect_at or 0.0) < exchange.ended_at - 0.2
        assert exchange.released_at is None
        assert on.relay.in_flight == 0
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_release_closes_what_is_silent() -> None:
    async with line(handler=touching(Effect(cut=Cut.SILENCE), only=b"/predict")) as on:
        client = await on.connect()
        await client.send(POST + GET)
        await until(lambda: on.relay.in_flight == 1)
        on.relay.release_held()
        assert await client.rest() == b""
        (exchange,) = await on.ended()
        assert (exchange.end, exchange.status, exchange.cut) == (End.CUT, None, True)
        assert on.upstream.connections == []


@on_both_loops
async def test_nothing_of_an_exchange_is_left_once_its_client_has() -> None:
    effects = [Effect(15.0), Effect(cut=Cut.SILENCE), Effect(upload_s=15.0), Effect(download_s=15.0)]
    effects += [Effect(0.0, edit=bytes, kept=0.5, download_s=15.0), Effect(answer=BUSY, download_s=15.0)]
    handler = Remembering(effects=lambda request: effects[int(request.target[1:])])
    async with line(handler=handler) as on:
        for number in range(len(effects)):
            client = await on.connect()
            await client.send(POST.replace(b"/predict", b"/%d" % number))
        await until(lambda: on.relay.in_flight == len(effects))
        await asyncio.sleep(0.1)
        assert {type(one) for one in of_exchanges()} == {Touched, Pace, Upload, Dripped, Truncated, Edited}
        for client in on.clients:
            client.reset()
        await on.ended(len(effects))
        assert of_exchanges() == []


@on_both_loops
async def test_closing_the_relay_ends_every_effect() -> None:
    effects = [Effect(15.0), Effect(cut=Cut.SILENCE), Effect(upload_s=15.0), Effect(download_s=15.0)]
    handler = Remembering(effects=lambda request: effects[int(request.target[1:])])
    async with line(handler=handler) as on:
        for number in range(len(effects)):
            client = await on.connect()
            await client.send(POST.replace(b"/predict", b"/%d" % number))
        await until(lambda: on.relay.in_flight == len(effects))
        await on.relay.close(grace_s=0.05)
        assert {exchange.end for exchange in await on.ended(len(effects))} == {End.CLIENT_GONE}
        assert on.relay.in_flight == 0


EFFECTS = [
    None, Effect(0.02), Effect(upload_s=0.05), Effect(answer=BUSY), Effect(cut=Cut.RESET), Effect(cut=Cut.SILENCE),
    Effect(edit=lambda body: body[::-1]), Effect(kept=0.5), Effect(download_s=0.05), Effect(upload_s=0.02, kept=0),
]  # fmt: skip


@on_both_loops
async def test_whatever_happens_to_others_an_untouched_exchange_gets_its_own_answer() -> None:
    drawn = random.Random(5)
    plan = [(drawn.choice(EFFECTS), drawn.random() < 0.2, drawn.uniform(0.0, 0.05)) for _ in range(800)]

    async def echoing(peer: Peer) -> None:
        while True:
            head, body = await peer.message()
            body = head.split(b" ")[1] + b" " + body
            if len(body) % 3:
                await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            else:
                await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body))
                await peer.send(body + b"\r\n0\r\n\r\n")

    async def use(on: Line, mine: range) -> int:
        answered, client = 0, await on.connect()
        for number in mine:
            effect, leaves, leaves_after_s = plan[number]
            body = b"%d" % number * drawn.randrange(1, 50)
            lines = b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (number, len(body))
            await client.send(lines + body)
            if leaves or effect in (EFFECTS[4], EFFECTS[5]):
                await asyncio.sleep(leaves_after_s)
                client.reset()
            elif effect is None:
                head = await client.head()
                got = (await client.reader.readuntil(b"0\r\n\r\n")) if b"chunked" in head else b""
                length = int(head.lower().partition(b"length: ")[2].split(b"\r\n")[0] or 0)
                got = got.partition(b"\r\n")[2][:-7] or await client.reader.readexactly(length)
                assert got == b"/%d %b" % (number, body)
                answered += 1
                continue
            else:
                with suppress(TimeoutError, ConnectionError):
                    await asyncio.wait_for(client.rest(), 0.15)
            client.close()
            client = await on.connect()
        return answered

    handler = Remembering(effects=lambda request: plan[int(request.target[1:])][0])
    async with line(echoing, handler) as on:
        answered = await asyncio.gather(*[use(on, range(start, 800, 24)) for start in range(24)])
        assert sum(answered) > 40
        await until(lambda: on.relay.in_flight == 0)
        assert on.relay.handler_errors == 0
        for peer in on.clients:
            peer.close()
