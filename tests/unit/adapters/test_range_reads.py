import time
from pathlib import Path

import numpy as np
import pytest

from alertdrill.adapters import range_reads
from alertdrill.adapters.access_environment import access_from_environment, as_environment
from alertdrill.adapters.prometheus_errors import Kind, QueryFailed
from alertdrill.adapters.range_cache import RangeCache
from alertdrill.adapters.range_reads import RangeReads
from alertdrill.core.errors import AlertdrillError
from alertdrill.core.history.spans import DAY_MS, Chunk
from alertdrill.core.observations import Labels, RawSeries
from alertdrill.core.promql import Selector
from alertdrill.core.recording import STALE, is_stale

X = Selector("x", (), 0.0, 0.0)
TIMES = np.arange(0, 40 * DAY_MS, DAY_MS // 96, dtype=np.int64)


class Server:
    """What RangeReads asks: one series, with remote read, and failures to order."""

    def __init__(self, *fails: tuple[int, Kind]) -> None:
        self.fails, self.asked = list(fails), list[tuple[int, int]]()

    async def marked(self, selector: Selector, from_ms: int, to_ms: int, external: Labels) -> list[RawSeries]:
        if selector.name == "up":
            return []
        self.asked.append((from_ms, to_ms + 1))
        for longest, kind in self.fails:
            if to_ms + 1 - from_ms > longest:
                raise QueryFailed("http://x", "x", kind, "will not", "")
        inside = slice(*np.searchsorted(TIMES, [from_ms - 5000, to_ms + 1]))
        return [RawSeries({"__name__": "x"}, TIMES[inside], np.ones(len(TIMES[inside])))]


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(range_reads, "APART_S", 0.0)
    monkeypatch.setattr(range_reads, "RETRIES_S", (0.0, 0.0))


def reads(server: Server, folder: Path, source: str = "http://x ", settled_ms: int = 99 * DAY_MS) -> RangeReads:
    return RangeReads(server, RangeCache(source, folder), {}, settled_ms)  # type: ignore[arg-type]


async def test_each_chunk_is_asked_for_once_by_all_runs_together(tmp_path: Path) -> None:
    server = Server()
    first = reads(server, tmp_path)
    assert await first.fetch(X, 5, 2 * DAY_MS - 1) == [{"__name__": "x"}]
    assert server.asked == [(0, DAY_MS), (DAY_MS, 2 * DAY_MS)]
    second = reads(server, tmp_path)
    await second.fetch(X, 9, 2 * DAY_MS - 1)
    assert (len(server.asked), second.asked, second.kept, second.samples) == (2, 0, 2, 192)
    (found,) = second.load(X, DAY_MS, DAY_MS + 10)
    assert found.times_ms.tolist() == [DAY_MS]
    await reads(server, tmp_path, "http://y ").fetch(X, 5, DAY_MS - 1)
    assert len(server.asked) == 3


async def test_a_sparse_past_is_asked_for_in_long_chunks_and_found_again_from_anywhere(tmp_path: Path) -> None:
    server = Server()
    await reads(server, tmp_path).fetch(X, 0, 20 * DAY_MS + 5)
    lengths = [(end - begin) / DAY_MS for begin, end in server.asked]
    assert lengths[:-1] == [1, 1, 2, 4, 8, 4]
    assert lengths[-1] < 1
    later = reads(server, tmp_path)
    await later.fetch(X, 1 * DAY_MS, 20 * DAY_MS + 5)
    assert (later.asked, later.samples) == (0, 19 * 96 + 1)


async def test_a_dense_past_is_asked_for_by_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(range_reads, "MOST_AT_ONCE", 200)
    server = Server()
    await reads(server, tmp_path).fetch(X, 0, 8 * DAY_MS - 1)
    assert [(end - begin) / DAY_MS for begin, end in server.asked] == [1, 1, 2, 2, 2]


async def test_a_block_that_is_refused_is_asked_for_by_days_and_found_so(tmp_path: Path) -> None:
    server = Server((DAY_MS, "timeout"))
    first = reads(server, tmp_path)
    await first.fetch(X, 0, 8 * DAY_MS - 1)
    second = reads(server, tmp_path)
    await second.fetch(X, 0, 8 * DAY_MS - 1)
    assert (first.samples, second.samples, second.asked, second.kept) == (8 * 96, 8 * 96, 0, 8)


async def test_what_may_still_arrive_is_read_anew_by_the_next_run(tmp_path: Path) -> None:
    server = Server()
    first = reads(server, tmp_path, settled_ms=DAY_MS)
    await first.fetch(X, 0, DAY_MS + 7)
    (found,) = first.load(X, DAY_MS, DAY_MS + 7)
    assert found.times_ms.tolist() == [DAY_MS]
    second = reads(server, tmp_path)
    await second.fetch(X, 0, DAY_MS + 7)
    assert (second.kept, server.asked[1:]) == (1, [(DAY_MS, DAY_MS + 8)] * 2)


async def test_what_is_refused_is_halved_and_then_kept_as_a_whole(tmp_path: Path) -> None:
    server = Server((DAY_MS // 4, "refused"))
    found = reads(server, tmp_path)
    await found.fetch(X, 0, DAY_MS - 1)
    assert len(server.asked) == 1 + 2 + 4
    assert found.samples == 96
    again = reads(server, tmp_path)
    await again.fetch(X, 0, DAY_MS - 1)
    assert (again.asked, again.samples) == (0, 96)


async def test_what_is_always_refused_is_given_up_and_said(tmp_path: Path) -> None:
    server = Server((0, "refused"))
    found = reads(server, tmp_path)
    assert await found.fetch(X, 0, 2 * DAY_MS - 1) == []
    assert (found.failed, len(server.asked)) == ({X: "will not"}, 8)
    assert found.load(X, 0, 100) == []


@pytest.mark.parametrize(
    ("kind", "questions"), [("unreachable", 1), ("unauthorized", 1), ("partial", 1), ("unavailable", 3)]
)
async def test_a_server_that_will_not_answer_at_all_ends_the_reading(
    tmp_path: Path, kind: Kind, questions: int
) -> None:
    server = Server((0, kind))
    with pytest.raises(QueryFailed):
        await reads(server, tmp_path).fetch(X, 0, DAY_MS - 1)
    assert len(server.asked) == questions


async def test_questions_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(range_reads, "APART_S", 0.02)
    began = time.monotonic()
    await reads(Server(), tmp_path).fetch(X, 0, 2 * DAY_MS - 1)
    assert time.monotonic() - began >= 0.04


def test_what_is_kept_is_what_was_read_bit_by_bit(tmp_path: Path) -> None:
    cache, chunk = RangeCache("s", tmp_path / "new"), Chunk(0, DAY_MS)
    values = np.array([1.5, STALE, np.nan])
    cache.put(
        "x", chunk, [RawSeries({"a": "ü"}, np.array([1, 2, 3]), values), RawSeries({}, TIMES[:0], values[:0])], True
    )
    kept = cache.get("x", chunk)
    assert kept is not None
    (one, other), marked = kept
    assert (one.labels, one.times_ms.tolist(), marked) == ({"a": "ü"}, [1, 2, 3], True)
    assert is_stale(one.values).tolist() == [False, True, False]
    assert len(other.times_ms) == 0
    assert [file.suffix for file in (tmp_path / "new").iterdir()] == [".npz"]
    assert ((tmp_path / "new").stat().st_mode & 0o777, next((tmp_path / "new").iterdir()).stat().st_mode & 0o777) == (
        0o700, 0o600,
    )  # fmt: skip
    cache.put("y", chunk, [], False)
    assert cache.get("y", chunk) == ([], False)
    assert cache.get("x", Chunk(0, 5)) is None


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-30], lambda b: b"", lambda b: b[:80] + b"\0" * 40 + b[120:], lambda b: b"{}"]
)
def test_what_is_damaged_is_as_if_it_were_not_kept(tmp_path: Path, damage: object) -> None:
    cache, chunk = RangeCache("s", tmp_path), Chunk(0, DAY_MS)
    cache.put("x", chunk, [RawSeries({"a": "b"}, np.arange(200), np.random.default_rng(1).random(200))], True)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    assert cache.get("x", chunk) is None
    assert not file.exists()


def test_another_question_s_file_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    cache, chunk = RangeCache("s", tmp_path), Chunk(0, DAY_MS)
    cache.put("x", chunk, [], True)
    (file,) = tmp_path.iterdir()
    cache.put("y", chunk, [], True)
    (other,) = [one for one in tmp_path.iterdir() if one != file]
    file.replace(other)
    assert cache.get("y", chunk) is None


async def test_what_has_gone_meanwhile_is_no_silence(tmp_path: Path) -> None:
    found = reads(Server(), tmp_path)
    await found.fetch(X, 0, DAY_MS - 1)
    found.cache.folder = tmp_path / "elsewhere"
    with pytest.raises(AlertdrillError, match="run again"):
        found.load(X, 0, 5)


def test_logins_stand_in_the_environment_alone() -> None:
    token = access_from_environment("http://x", {"ALERTDRILL_PROM_TOKEN": "t", "ALERTDRILL_PROM_TENANT": "team"})
    assert token.bearer is not None
    assert token.bearer.where == "the variable ALERTDRILL_PROM_TOKEN"
    by_name = access_from_environment("http://x", {"ALERTDRILL_PROM_USERNAME": "u"})
    assert (by_name.username, by_name.bearer) == ("u", None)
    assert access_from_environment("http://x", {}).headers() == {}
    said = as_environment(QueryFailed("http://x", "q", "unauthorized", "it answers 401", "write something"))
    assert said.fix.startswith("export ALERTDRILL_PROM_TOKEN")
