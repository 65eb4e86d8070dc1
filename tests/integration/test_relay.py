"""What a relay passes on, over real sockets."""

import asyncio

from sockets import GET, OK, Peer, Remembering, Script, line, on_both_loops, until

from alertdrill.relay.exchange import KEPT_BODY_BYTES, Effect, End, Request, Response


def replying(*answers: bytes) -> Script:
    async def script(peer: Peer) -> None:
        for answer in answers:
            await peer.message()
            await peer.send(answer)
        await peer.message()

    return script


@on_both_loops
async def test_request_and_answer_pass_unaltered() -> None:
    answer = (
        b"HTTP/1.1 418 I am a Teapot\r\nSet-Cookie: a=1\r\nX-MiXed: \tv \r\nset-cookie: b=2\r\nX-Empty:\r\n"
        b"Content-Length: 3\r\n\r\n\x00\xff\n"
    )
    seen: list[tuple[bytes, bytes]] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.message())
        await peer.send(answer)
        await peer.message()

    async with line(script) as on:
        client = await on.connect()
        request = (
            b"POST /predict?a=%20b&c HTTP/1.1\r\nHost: model:1\r\nX-Alertdrill-Seq: 3.14\r\nContent-Length: 4\r\n"
            b"Accept: */*\r\n\r\n\x00{}\xff"
        )
        head, body = await client.ask(request)
        assert seen == [(request[:-4], b"\x00{}\xff")]
        assert head == answer[:-3].replace(b"\tv ", b"v ").replace(b"Empty:", b"Empty: ")
        assert body == answer[-3:]
        (exchange,) = await on.ended()
        assert exchange.request.method == b"POST"
        assert exchange.request.target == b"/predict?a=%20b&c"
        assert exchange.request.header(b"x-alertdrill-seq") == b"3.14"
        assert exchange.request.body == b"\x00{}\xff"
        assert (exchange.status, exchange.response_body, exchange.end) == (418, b"\x00\xff\n", End.ANSWERED)
        assert exchange.started_at <= exchange.request.received_at <= exchange.ended_at
        assert (exchange.effect, exchange.effect_at, exchange.released_at) == (None, None, None)


@on_both_loops
async def test_connections_are_kept_on_both_sides() -> None:
    async with line() as on:
        client = await on.connect()
        for _ in range(5):
            assert (await client.ask())[1] == b"ok"
        client.close()
        other = await on.connect()
        assert (await other.ask())[1] == b"ok"
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_one_exchange_at_a_time_on_an_upstream_connection() -> None:
    gate = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.message()
            await gate.wait()
            await peer.send(OK)

    async with line(script) as on:
        clients = [await on.connect() for _ in range(3)]
        for client in clients:
            await client.send(GET)
        await until(lambda: len(on.upstream.connections) == 3)
        gate.set()
        for client in clients:
            assert (await client.message())[1] == b"ok"


@on_both_loops
async def test_bytes_that_come_one_by_one_make_the_same_request() -> None:
    async with line() as on:
        client = await on.connect()
        request = (
            b"POST /abc HTTP/1.1\r\nHost: h\r\nX-Long: value\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        )
        for position in range(len(request)):
            await client.send(request[position : position + 1])
            await asyncio.sleep(0)
        assert (await client.message())[1] == b"ok"
        (exchange,) = await on.ended()
        assert (exchange.request.target, exchange.request.body) == (b"/abc", b"hi")
        assert exchange.request.header(b"x-long") == b"value"


@on_both_loops
async def test_chunked_request_reaches_the_upstream_with_a_length() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.message())
        await peer.send(OK)

    async with line(script) as on:
        client = await on.connect()
        await client.ask(
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
        )
        assert seen[0][1] == b"abcde"
        assert b"transfer-encoding" not in seen[0][0].lower()


@on_both_loops
async def test_chunked_answer_is_streamed_with_its_trailers() -> None:
    gate = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n")
        await gate.wait()
        await peer.send(b"2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n")
        await peer.message()
        await peer.send(OK)

    async with line(script) as on:
        client = await on.connect()
        await client.send(GET)
        assert b"Transfer-Encoding: chunked" in await client.head()
        assert await client.reader.readexactly(8) == b"3\r\nabc\r\n"
        gate.set()
        assert await client.head() == b"2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"
        assert (await on.ended())[0].response_body == b"abcde"
        assert (await client.ask())[1] == b"ok"


@on_both_loops
async def test_client_that_expects_100_is_told_to_go_on_and_the_upstream_is_not_asked() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.message())
        await peer.send(OK)

    async with line(script) as on:
        client = await on.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await client.ask(b"hi"))[1] == b"ok"
        assert seen[0][1] == b"hi"
        assert b"expect" not in seen[0][0].lower()


@on_both_loops
async def test_the_100_of_a_pipelined_request_waits_for_the_answer_before_it() -> None:
    async with line() as on:
        client = await on.connect()
        await client.send(GET + b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert (await client.message())[1] == b"ok"
        assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await client.ask(b"hi"))[1] == b"ok"


@on_both_loops
async def test_interim_answers_pass_except_100() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with line(replying(b"HTTP/1.1 100 Continue\r\n\r\n" + early + OK)) as on:
        client = await on.connect()
        await client.send(GET)
        assert await client.head() == early
        assert (await client.message())[1] == b"ok"


@on_both_loops
async def test_answers_without_a_body_do_not_wait_for_one() -> None:
    answers = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n",
        OK,
    ]
    async with line(replying(*answers)) as on:
        client = await on.connect()
        for method, answer in zip([b"HEAD", b"GET", b"GET"], answers, strict=False):
            await client.send(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert await client.head() == answer
        assert (await client.ask())[1] == b"ok"
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_connection_close_ends_only_the_side_that_said_it() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\r\n")
    asked: list[bytes] = []

    async def says_close(peer: Peer) -> None:
        while True:
            asked.append((await peer.message())[0])
            await peer.send(closing)

    async with line(says_close) as on:
        client = await on.connect()
        for _ in range(2):
            head, _body = await client.ask()
            assert head == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
        assert (len(on.upstream.connections), len(asked)) == (2, 2)
    async with line() as on:
        client = await on.connect()
        head, _body = await client.ask(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert b"Connection: close" in head
        assert await client.is_closed()
        await (await on.connect()).ask()
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_http_1_0_client_gets_what_it_can_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with line(replying(chunked)) as on:
        client = await on.connect()
        await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert await client.rest() == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde"
    async with line() as on:
        client = await on.connect()
        assert b"Connection: keep-alive" in (await client.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))[0]
        assert b"Connection: close" in (await client.ask(b"GET / HTTP/1.0\r\n\r\n"))[0]
        assert await client.is_closed()


@on_both_loops
async def test_answer_that_ends_with_the_connection_is_complete_for_the_client() -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.0 200 OK\r\n\r\nabc")

    async with line(script) as on:
        client = await on.connect()
        await client.send(GET)
        assert await client.head() == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert await client.reader.readexactly(13) == b"3\r\nabc\r\n0\r\n\r\n"
        assert (await on.ended())[0].end is End.ANSWERED


@on_both_loops
async def test_pipelined_requests_are_answered_in_their_order() -> None:
    async def echo(peer: Peer) -> None:
        while True:
            head, _ = await peer.message()
            target = head.split(b" ")[1]
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))

    slow = Remembering(effects=lambda request: Effect(0.1) if request.target == b"/0" else None)
    slow.answers = lambda request: Response(200, (), b"here") if request.target == b"/5" else None
    async with line(echo, slow) as on:
        client = await on.connect()
        await client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(1000)))
        answers = [(await client.message())[1] for _ in range(1000)]
        assert answers == [b"here" if number == 5 else b"/%d" % number for number in range(1000)]
        assert len(on.upstream.connections) == 1


@on_both_loops
async def test_upgrade_is_declined_by_going_on() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.message())
            await peer.send(OK)

    async with line(script) as on:
        client = await on.connect()
        upgrade = (
            b"POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AA\r\nContent-Length: 2\r\n\r\nhi"
        )
        await client.send(upgrade + GET)
        assert (await client.message())[1] == b"ok"
        assert (await client.message())[1] == b"ok"
        assert seen[0] == (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n", b"hi")


@on_both_loops
async def test_handler_answers_by_itself() -> None:
    handler = Remembering(answers=lambda request: Response(200, ((b"Content-Type", b"text/plain"),), b"metrics"))
    async with line(handler=handler) as on:
        client = await on.connect()
        head, body = await client.ask()
        assert (head, body) == (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n", b"metrics")
        await client.send(b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert (await client.rest()).endswith(b"Content-Length: 7\r\nConnection: close\r\n\r\n")
        assert on.upstream.connections == []
        assert on.handler.exchanges == []


@on_both_loops
async def test_delay_holds_the_request_and_both_instants_are_known() -> None:
    effect = Effect(0.15, causes=("p/latency",))
    async with line(handler=Remembering(effects=lambda request: effect)) as on:
        client = await on.connect()
        await client.ask()
        (exchange,) = await on.ended()
        assert exchange.effect is effect
        assert exchange.effect_at is not None
        assert exchange.released_at is not None
        assert exchange.request.received_at <= exchange.effect_at < exchange.released_at < exchange.ended_at
        assert 0.148 <= exchange.released_at - exchange.effect_at < 1.0


@on_both_loops
async def test_held_requests_can_be_released_at_once() -> None:
    async with line(handler=Remembering(effects=lambda request: Effect(15.0))) as on:
        client = await on.connect()
        await client.send(GET)
        await until(lambda: on.relay.in_flight == 1)
        on.relay.release_held()
        assert (await client.message())[1] == b"ok"
        assert on.relay.in_flight == 0


@on_both_loops
async def test_failing_handler_is_counted_and_hurts_no_answer() -> None:
    def fail(request: Request) -> None:
        raise RuntimeError("a bug")

    handler = Remembering(effects=fail, answers=fail)
    async with line(handler=handler) as on:
        client = await on.connect()
        assert (await client.ask())[1] == b"ok"
        assert (await client.ask())[1] == b"ok"
        assert on.relay.handler_errors == 4


@on_both_loops
async def test_client_that_does_not_read_stops_the_upstream_and_gets_every_byte() -> None:
    size, sent = 64 << 20, 0
    block = bytes(range(256)) * 1024

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            await peer.send(block)
            sent += len(block)
        await peer.message()

    async with line(script, upstream_timeout_s=0.3) as on:
        client = await on.connect()
        client.stop_reading()
        await client.send(GET)
        await until(lambda: sent > 0)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.5)
        assert sent < size // 2
        client.read_on()
        await client.head()
        for _ in range(size // len(block)):
            assert await client.reader.readexactly(len(block)) == block
        (exchange,) = await on.ended()
        assert exchange.end is End.ANSWERED
        assert len(exchange.response_body) == KEPT_BODY_BYTES


@on_both_loops
async def test_large_request_body_arrives_whole() -> None:
    seen: list[bytes] = []
    body = bytes(range(256)) * (8 << 12)

    async def script(peer: Peer) -> None:
        await peer.head()
        await asyncio.sleep(0.05)
        seen.append(await peer.reader.readexactly(len(body)))
        await peer.send(OK)

    async with line(script) as on:
        client = await on.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert (await client.message())[1] == b"ok"
        assert seen == [body]


@on_both_loops
async def test_closing_gives_an_exchange_its_grace() -> None:
    gate = asyncio.Event()

    async def gated(peer: Peer) -> None:
        await peer.message()
        await gate.wait()
        await peer.send(OK)

    async with line(gated) as on:
        client = await on.connect()
        await client.send(GET)
        await until(lambda: on.relay.in_flight == 1)
        closing = asyncio.create_task(on.relay.close(grace_s=10.0))
        await asyncio.sleep(0)
        gate.set()
        assert await client.rest() == OK
        await closing
        assert (await on.ended())[0].end is End.ANSWERED


@on_both_loops
async def test_closing_cuts_an_exchange_that_outlasts_its_grace() -> None:
    async def silent(peer: Peer) -> None:
        await peer.message()
        await peer.rest()

    async with line(silent) as on:
        client = await on.connect()
        await client.send(GET)
        await until(lambda: on.relay.in_flight == 1)
        await on.relay.close(grace_s=0.05)
        assert await client.is_closed()
        exchange = (await on.ended())[0]
        assert (exchange.end, exchange.cut) == (End.CLIENT_GONE, True)
