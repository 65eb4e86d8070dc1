"""Random numbers by name and place: the same draw for request k.i whoever asks, in whatever order.

Every draw is the first 8 bytes of BLAKE2b (RFC 7693) over a seed, a name, a segment k and an index i, divided by
2**64: uniform on [0, 1). No generator holds state, so any number of workers and injectors agree without talking.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_SCALE = 2.0**-64


def _prefix(seed: int, name: str, k: int) -> bytes:
    return f"{seed}/{name}/{k}/".encode()


def uniform(seed: int, name: str, k: int, i: int) -> float:
    """One draw on [0, 1) for request `k.i` under `name`."""
    digest = blake2b(_prefix(seed, name, k) + i.to_bytes(8, "little"), digest_size=8).digest()
    return int.from_bytes(digest, "little") * _SCALE


def uniforms(seed: int, name: str, k: int, start: int, stop: int) -> NDArray[np.float64]:
    """Draws for requests `k.start` to `k.stop - 1`; shape (stop - start,), range [0, 1)."""
    base = blake2b(_prefix(seed, name, k), digest_size=8)
    digests = bytearray()
    for i in range(start, stop):
        one = base.copy()
        one.update(i.to_bytes(8, "little"))
        digests += one.digest()
    return np.frombuffer(bytes(digests), dtype="<u8") * _SCALE


def chosen(seed: int, injection_id: str, k: int, start: int, stop: int, share: float) -> NDArray[np.bool_]:
    """Which of the requests `k.start` to `k.stop - 1` an injection touches; shape (stop - start,)."""
    return uniforms(seed, f"choose:{injection_id}", k, start, stop) < share


def chosen_one(seed: int, injection_id: str, k: int, i: int, share: float) -> bool:
    """Whether an injection touches request `k.i`; agrees with `chosen`."""
    return uniform(seed, f"choose:{injection_id}", k, i) < share
