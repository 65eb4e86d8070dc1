"""A relay before an upstream that speaks TLS: what it checks, what it passes on, what it says when there is none."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from certificates import Authority
from sockets import GET, OK, Line, Peer, Remembering, Script, Upstream, always_ok, on_both_loops

from alertdrill.relay.exchange import End
from alertdrill.relay.server import serve
from alertdrill.tls import TlsSettings

UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts"
HERE: dict[str, Authority] = {}


@pytest.fixture(scope="module", autouse=True)
def _authority(tmp_path_factory: pytest.TempPathFactory) -> None:
    HERE["authority"] = Authority(tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def secured(
    script: Script = always_ok,
    context: ssl.SSLContext | None = None,
    settings: TlsSettings | None = None,
    handler: Remembering | None = None,
) -> AsyncIterator[Line]:
    """A relay between a scripted TLS upstream and raw clients."""
    authority = HERE["authority"]
    settings = settings or TlsSettings(ca=authority.ca)
    upstream, handler = Upstream(script), handler or Remembering()
    port = await upstream.start(context or authority.server())
    name = settings.server_name
    relay = await serve(f"https://127.0.0.1:{port}", handler, context=settings.context(), server_name=name)
    on = Line(relay, upstream, handler)
    try:
        yield on
    finally:
        await relay.close()
        for peer in on.clients:
            peer.close()
        await upstream.stop()


@on_both_loops
async def test_requests_and_answers_pass_over_kept_connections() -> None:
    async with secured() as on:
        client = await on.connect()
        for _ in range(3):
            assert (await client.ask())[1] == b"ok"
        assert len(on.upstream.connections) == 1
        assert {exchange.end for exchange in await on.ended(3)} == {End.ANSWERED}


@on_both_loops
async def test_large_bodies_pass_whole_in_both_directions() -> None:
    body = bytes(range(256)) * 8192  # 2 MiB

    async def echo(peer: Peer) -> None:
        _, got = await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(got) + got)

    async with secured(echo) as on:
        client = await on.connect()
        _, answer = await client.ask(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert answer == body


async def _refused(settings: TlsSettings | None, context: ssl.SSLContext, why: str) -> None:
    async with secured(context=context, settings=settings) as on:
        head, body = await (await on.connect()).ask()
        assert head.startswith(b"HTTP/1.1 502 ")
        said = json.loads(body)
        assert said["error"] == "upstream_tls"
        assert said["detail"].startswith("https://127.0.0.1:")
        assert why in said["detail"]
        assert (await on.ended())[-1].end is End.UPSTREAM_TLS
        assert (await (await on.connect()).ask())[0].startswith(b"HTTP/1.1 502 ")  # and it lives


@on_both_loops
async def test_a_certificate_that_cannot_be_trusted_is_502_and_says_why() -> None:
    authority = HERE["authority"]
    await _refused(None, authority.server(expired=True), "certificate has expired")
    await _refused(None, authority.server("other.test"), "is not valid for '127.0.0.1'")
    await _refused(TlsSettings(), authority.server(), "unable to get local issuer certificate")


@on_both_loops
async def test_verify_false_and_a_server_name_are_heeded() -> None:
    authority = HERE["authority"]
    async with secured(context=authority.server("a.test", expired=True), settings=TlsSettings(verify=False)) as on:
        assert (await (await on.connect()).ask())[1] == b"ok"
    named = TlsSettings(ca=authority.ca, server_name="a.test")
    async with secured(context=authority.server("a.test"), settings=named) as on:
        assert (await (await on.connect()).ask())[1] == b"ok"


@on_both_loops
async def test_our_certificate_is_shown() -> None:
    authority = HERE["authority"]
    cert, key = authority.client()
    settings = TlsSettings(ca=authority.ca, cert=cert, key=key)
    async with secured(context=authority.server(asks_for_ours=True), settings=settings) as on:
        assert (await (await on.connect()).ask())[1] == b"ok"


@on_both_loops
async def test_a_plain_upstream_gives_no_session() -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.reader.read(1)

    for script in (always_ok, hang_up):
        upstream, handler = Upstream(script), Remembering()
        port = await upstream.start()
        relay = await serve(f"https://127.0.0.1:{port}", handler)
        on = Line(relay, upstream, handler)
        client = await on.connect()
        await client.send(GET)
        if script is always_ok:
            for peer in upstream.connections:
                await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await asyncio.sleep(0.05)
            await upstream.stop()
        head, body = await client.message()
        assert head.startswith(b"HTTP/1.1 502 ")
        assert json.loads(body)["error"] == "upstream_tls"
        await relay.close()
        client.close()
        await upstream.stop()


def _last(answer: bytes, *, goodbye: bool) -> Script:
    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(answer)
        if goodbye:
            peer.close()
        else:
            await asyncio.sleep(0.05)  # until the answer has left: the cut is below the session
            peer.cut()

    return script


@on_both_loops
async def test_an_answer_until_the_end_is_whole_only_after_a_goodbye() -> None:
    async with secured(_last(UNTIL_CLOSE, goodbye=True)) as on:
        client = await on.connect()
        await client.send(GET)
        assert b"as long as it lasts" in await client.reader.readuntil(b"\r\n0\r\n\r\n")
        assert (await on.ended())[0].end is End.ANSWERED
    async with secured(_last(UNTIL_CLOSE, goodbye=False)) as on:
        client = await on.connect()
        await client.send(GET)
        assert not (await client.rest()).endswith(b"\r\n0\r\n\r\n")
        assert (await on.ended())[0].end is End.UPSTREAM_CLOSED


@on_both_loops
async def test_a_kept_connection_that_the_upstream_closed_is_not_used_again() -> None:
    async def once(peer: Peer) -> None:
        await peer.message()
        await peer.send(OK)

    async with secured(once) as on:
        client = await on.connect()
        for _ in range(3):
            assert (await client.ask())[1] == b"ok"
        assert len(on.upstream.connections) == 3


def test_files_of_another_kind_are_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(Exception, match="expected certificates in PEM form"):
        TlsSettings(ca=tmp_path / "empty.pem").context()
