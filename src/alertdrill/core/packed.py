"""Bytes as text in the plan: compressed, in base64."""

import base64
import zlib


def packed(data: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def unpacked(text: str, size: int, *, count: int, unit: str) -> bytes:
    """The bytes, `size` of them, that `packed` wrote; never more are unpacked, whatever the text holds.

    Args:
        text: what it wrote.
        size: bytes.
        count: what these stand for, for messages.
        unit: such as `bits`.

    Raises:
        ValueError: it is no such text.
    """
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(data) != size:
        raise ValueError(f"got {'more' if len(data) > size else 'fewer'} {unit}, expected {count}")
    return data
