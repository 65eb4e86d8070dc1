"""The few forms of protobuf that Prometheus's remote write and remote read use."""


def varint(number: int) -> bytes:
    """A number from 0, seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position after it.

    Raises:
        IndexError: the data ends before the number does.
    """
    number = shift = 0
    while True:
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return number, position


def field(tag: int, payload: bytes) -> bytes:
    """A field of bytes: its tag, their length, and they."""
    return bytes([tag]) + varint(len(payload)) + payload
