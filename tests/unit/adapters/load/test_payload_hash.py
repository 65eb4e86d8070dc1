"""Tests of the hash of what was sent."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.adapters.load.payload_hash import ChunkDigests, marks
from alertdrill.adapters.load.share import Share


def _straight(bodies: dict[int, bytes], stop: int) -> str:
    running = hashlib.sha256()
    for begin in range(0, stop, 40):
        chunk = [bodies[i] for i in range(begin, min(begin + 40, stop)) if i in bodies]
        running.update(hashlib.sha256(b"".join(len(body).to_bytes(8, "little") + body for body in chunk)).digest())
    return running.hexdigest()


def _of(bodies: dict[int, bytes], step: int = 17, workers: int = 1) -> list[str]:
    """The marks of bodies by number that some workers sent, each in parts of `step` bodies."""
    count = max(bodies, default=-1) + 1
    parts = [ChunkDigests() for _ in range(workers)]
    for worker, part in enumerate(parts):
        sent = [(i, bodies[i]) for i in Share(worker, workers).indexes(count).tolist() if i in bodies]
        for start in range(0, len(sent), step):
            part.add(sent[start : start + step])
    digests = {number: digest for part in parts for number, digest in part.digests().items()}
    return marks(digests, max(part.reached for part in parts))


@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 999, 1000, 1001, 2000, 2345])
def test_the_hash_is_read_at_every_thousand_requests_and_at_the_end(count: int) -> None:
    bodies = {n: b"%d" % n for n in range(count)}
    stops = [*range(1000, count + 1, 1000), *([count] if count % 1000 else [])]
    assert _of(bodies) == [_straight(bodies, stop) for stop in stops]


@given(st.sets(st.integers(0, 2100), max_size=300), st.integers(1, 5), st.integers(1, 100))
def test_neither_the_number_of_workers_nor_the_size_of_a_batch_changes_it(
    sent: set[int], workers: int, step: int
) -> None:
    bodies = {n: b"%d" % n for n in sent}
    assert _of(bodies, step, workers) == _of(bodies)


def test_a_request_that_is_missing_changes_it() -> None:
    bodies = {n: b"%d" % n for n in range(100)}
    assert _of({n: body for n, body in bodies.items() if n != 41}) != _of(bodies)


def test_a_chunk_of_which_nothing_was_sent_is_no_end() -> None:
    bodies = dict.fromkeys([*range(40), *range(120, 130)], b"x")
    assert _of(bodies) == [_straight(bodies, 130)]


def test_the_hash_tells_where_one_body_ends() -> None:
    assert _of({0: b"ab", 1: b"c"}) != _of({0: b"a", 1: b"bc"})


def test_reading_the_digests_does_not_change_them() -> None:
    part = ChunkDigests()
    part.add([(0, b"a")])
    assert part.digests() == part.digests()
    part.add([(1, b"b")])
    assert marks(part.digests(), part.reached) == [_straight({0: b"a", 1: b"b"}, 2)]
