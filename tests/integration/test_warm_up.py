"""Warming up a target over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.load_process import SCHEMA, write_sample

from alertdrill.adapters.target import PreparedTarget
from alertdrill.adapters.warm_up import NotWarm, warm_up
from alertdrill.core.scenario import Warmup
from alertdrill.protocols.rows import parse_csv

COLD = b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 27\r\n\r\n{"error":"model is waking"}'
WARM = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def waking(after: int, cold: bytes = COLD) -> AsyncIterator[tuple[str, list[dict[str, object]]]]:
    """A server that answers 503 to its first requests; its address, and the bodies that came."""
    bodies: list[dict[str, object]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            assert b"x-alertdrill" not in head.lower()
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ontent-length" in line.lower())
            bodies.append(json.loads(await reader.readexactly(length)))
            writer.write(cold if len(bodies) <= after else WARM)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await answer(reader, writer)
        writer.close()
        over.release()

    over = asyncio.Semaphore(0)
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", bodies
        await asyncio.wait_for(over.acquire(), 5.0)


def prepared(folder: Path) -> PreparedTarget:
    digest = write_sample(folder / "sample.csv", rows=3)
    rows = parse_csv((folder / "sample.csv").read_text(), SCHEMA)
    return PreparedTarget("t", "1", SCHEMA, folder / "sample.csv", rows, digest)


async def test_it_comes_again_when_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alertdrill.adapters.warm_up.AGAIN_S", 60.0)
    async with waking(after=1, cold=COLD.replace(b"\r\n", b"\r\nRetry-After: 1\r\n", 1)) as (url, bodies):
        await warm_up(url, prepared(tmp_path), Warmup(requests=1, within="20s"), lambda _: None)
    assert len(bodies) == 2


async def test_it_waits_for_as_many_answers_as_are_asked_for(tmp_path: Path) -> None:
    said: list[str] = []
    async with waking(after=3) as (url, bodies):
        await warm_up(url, prepared(tmp_path), Warmup(requests=5, within="20s"), said.append)
    assert len(bodies) == 3 + 5
    assert bodies[0] == bodies[3] == bodies[6]
    assert bodies[0] != bodies[4]
    assert said[-1].startswith("warm after ")


async def test_a_target_that_stays_cold_is_no_drill(tmp_path: Path) -> None:
    async with waking(after=1000) as (url, _):
        told = r"0 of 1 answers of 2xx within 0\.6 s, then HTTP 503: model is waking"
        with pytest.raises(NotWarm, match=told) as caught:
            await warm_up(url, prepared(tmp_path), Warmup(within="600ms"), lambda _: None)
    assert caught.value.exit_code == 3


async def test_a_target_that_is_not_there_is_no_drill(tmp_path: Path) -> None:
    with pytest.raises(NotWarm, match="0 of 1 answers"):
        await warm_up("http://127.0.0.1:1", prepared(tmp_path), Warmup(within="400ms"), lambda _: None)


async def test_a_secret_that_a_cold_target_repeats_is_not_shown(tmp_path: Path) -> None:
    repeated = COLD.replace(b"model is waking", b"no Key s3cret-1")
    target = replace(prepared(tmp_path), secret_headers={"Authorization": "Key s3cret-1"})
    async with waking(after=99, cold=repeated) as (url, _):
        with pytest.raises(NotWarm, match=r"no \*\*\*"):
            await warm_up(url, target, Warmup(requests=1, within="0.3s"), lambda _: None)
