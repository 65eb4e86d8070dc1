"""Flip bytes of answers."""

from functools import partial
from hashlib import shake_128
from typing import Literal

import numpy as np
from pydantic import Field

from alertdrill.core.faults.base import ExchangeEffect, ExchangeFault
from alertdrill.core.units import Share


class CorruptedAnswer(ExchangeFault):
    """Flip bytes of answers.

    What it does:
        The fault proxy at `place` changes `bytes` of the body of every touched answer, at least one byte, at places
        and to values that follow from the seed. Status, headers and length stay. An answer without a body, or with
        one longer than 1 MiB, is not touched. A compressed body is corrupted as it is.
    Why it matters:
        Bad memory in a switch, a broken cache, two answers mixed in one buffer: checksums of the transport miss some
        of it. Most such answers are no JSON any more; a few are, and say something else.
    Should trigger:
        An alert on answers that cannot be read, or on predictions out of their range, before `place`. Nothing of the
        bundled ones does: the monitor reads requests, and passes answers on unread. At dependency the bundled model
        falls back to a default where it cannot read the answer, and trusts it where it can.
    Example:
        - {kind: corrupted_answer, bytes: 5%, share: 20%, place: model}
    References:
        Stone, Partridge 2000, When the CRC and TCP Checksum Disagree (SIGCOMM).
    """

    kind: Literal["corrupted_answer"]
    bytes: Share = Field(
        default=0.05, gt=0, description="share of the body's bytes that change, at least one byte, such as 5%"
    )

    def effect(self, draw: float, dose: float) -> ExchangeEffect:
        """Bytes of its own for every touched answer."""
        return ExchangeEffect(edit=partial(_flip, self.bytes, draw))


def _flip(share: float, draw: float, body: bytes) -> bytes:
    """The body with round(share x length) of its bytes, at least one, changed; an empty body stays empty.

    SHAKE128 (FIPS 202) of the draw gives each byte eight bytes of its own: as a number, the smallest numbers are the
    places that change; modulo 255, plus 1, what the byte is combined with by exclusive or, which is never 0.
    """
    if not body:
        return body
    numbers = np.frombuffer(shake_128(draw.hex().encode()).digest(8 * len(body)), dtype="<u8")
    count = max(1, round(share * len(body)))
    places = np.argpartition(numbers, count - 1)[:count]
    flipped = np.frombuffer(body, dtype=np.uint8).copy()
    flipped[places] ^= (numbers[places] % 255 + 1).astype(np.uint8)
    return flipped.tobytes()
