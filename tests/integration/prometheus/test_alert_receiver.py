import asyncio
import contextlib
import json

import httpx
import pytest

from alertdrill.adapters.alert_receiver import AlertReceiver
from alertdrill.core.observations import AlertPost

ALERT = {"labels": {"alertname": "A"}, "startsAt": "2026-11-22T18:00:52.555Z", "endsAt": "2026-11-22T18:04:52Z"}


async def test_posts_of_both_versions_are_taken_and_answered():
    posts: list[AlertPost] = []
    async with AlertReceiver(posts.append, now=lambda: 1795370452.6) as receiver, httpx.AsyncClient() as client:
        for version in ("v1", "v2"):
            answer = await client.post(f"http://{receiver.address}/api/{version}/alerts", json=[ALERT, ALERT])
            assert answer.status_code == 200
    assert [len(post.alerts) for post in posts] == [2, 2]
    assert (posts[0].received_at, posts[0].alerts[0].status) == (1795370452.6, "firing")


async def test_garbage_is_answered_with_400_and_the_next_post_is_taken():
    posts: list[AlertPost] = []
    async with AlertReceiver(posts.append) as receiver, httpx.AsyncClient() as client:
        url = f"http://{receiver.address}/api/v2/alerts"
        for body in (b"garbage", b"{}", b"", b"\xff\xfe", b"[[]]"):
            assert (await client.post(url, content=body)).status_code == 400
        assert receiver.refused == 5
        assert (await client.post(url, json=[ALERT])).status_code == 200
        assert (await client.get(url)).status_code == 405
        assert (await client.post(url.replace("alerts", "silences"))).status_code == 404
    assert len(posts) == 1


async def test_a_body_in_chunks_is_whole():
    posts: list[AlertPost] = []

    async def chunks():
        for byte in json.dumps([ALERT]).encode():
            yield bytes([byte])

    async with AlertReceiver(posts.append) as receiver, httpx.AsyncClient() as client:
        assert (await client.post(f"http://{receiver.address}/api/v2/alerts", content=chunks())).status_code == 200
    assert len(posts) == 1


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00", b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"])
async def test_what_is_not_http_ends_that_connection_alone(sent):
    posts: list[AlertPost] = []
    async with AlertReceiver(posts.append) as receiver, httpx.AsyncClient() as client:
        host, port = receiver.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 400")
        writer.close()
        await writer.wait_closed()
        assert (await client.post(f"http://{receiver.address}/api/v2/alerts", json=[ALERT])).status_code == 200
    assert len(posts) == 1


async def test_it_ends_although_a_connection_is_open():
    async with asyncio.timeout(5):
        async with AlertReceiver(lambda post: None) as receiver:
            host, port = receiver.address.split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /api/v2/alerts HTTP/1.1\r\ncontent-length: 100\r\n\r\n[")
            await writer.drain()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


async def test_an_address_needs_a_start():
    with pytest.raises(RuntimeError, match="not been started"):
        _ = AlertReceiver(lambda post: None).address
