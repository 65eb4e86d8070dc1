"""Random numbers by name and place: the same draw for request k.i whoever asks, in whatever order.

Draw i under a name is bytes 8 (i mod 8) to 8 (i mod 8) + 7 of the 64-byte BLAKE2b (RFC 7693) of seed, name, segment k
and i div 8; its upper 53 bits divided by 2**53, which a double holds exactly, are uniform on [0, 1). No generator holds
state, so any number of workers and injectors agree without talking; one digest serves eight neighbours.
"""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_SCALE = 2.0**-53
_DROPPED = 11  # bits of 64 that a double does not hold
_A_DIGEST = 8


def _prefix(seed: int, name: str, k: int) -> bytes:
    return f"{seed}/{name}/{k}/".encode()


@lru_cache(maxsize=1024)
def _digest(prefix: bytes, number: int) -> bytes:
    return blake2b(prefix + number.to_bytes(8, "little")).digest()


def _unit(drawn: NDArray[np.uint64]) -> NDArray[np.float64]:
    return np.asarray((drawn >> _DROPPED) * _SCALE, dtype=np.float64)


def uniform(seed: int, name: str, k: int, i: int) -> float:
    """One draw on [0, 1) for request `k.i` under `name`."""
    at = i % _A_DIGEST * 8
    drawn = int.from_bytes(_digest(_prefix(seed, name, k), i // _A_DIGEST)[at : at + 8], "little")
    return (drawn >> _DROPPED) * _SCALE


def uniforms(seed: int, name: str, k: int, start: int, stop: int) -> NDArray[np.float64]:
    """Draws for requests `k.start` to `k.stop - 1`; shape (stop - start,), range [0, 1)."""
    base = blake2b(_prefix(seed, name, k))
    first = start // _A_DIGEST
    digests = []
    for number in range(first, -(-stop // _A_DIGEST)):
        one = base.copy()
        one.update(number.to_bytes(8, "little"))
        digests.append(one.digest())
    drawn = np.frombuffer(b"".join(digests), dtype="<u8")[start - first * _A_DIGEST : stop - first * _A_DIGEST]
    return _unit(drawn)


def uniforms_at(seed: int, name: str, k: int, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draws for the requests `k.i` of `indices`, shape (n,), any order, repeats allowed; shape (n,), range [0, 1)."""
    if not len(indices):
        return np.empty(0)
    start, stop = int(indices.min()), int(indices.max()) + 1
    if stop - start <= 2 * len(indices):
        return uniforms(seed, name, k, start, stop)[indices - start]
    prefix = _prefix(seed, name, k)
    numbers = (indices // _A_DIGEST).tolist()
    at = {number: row for row, number in enumerate(dict.fromkeys(numbers))}
    digests = b"".join(blake2b(prefix + number.to_bytes(8, "little")).digest() for number in at)
    rows = np.frombuffer(digests, dtype="<u8").reshape(-1, _A_DIGEST)
    return _unit(rows[[at[number] for number in numbers], indices % _A_DIGEST])
