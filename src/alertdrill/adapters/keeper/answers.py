"""Whether a server on this machine answers, asked with as little as possible."""

import asyncio
import socket
from enum import StrEnum

ASK_S = 2.0
SILENT_S = 0.25


class Answer(StrEnum):
    """What came of a request."""

    READY = "ready"  # a 2xx
    OTHER = "other"  # bytes that are something else
    SILENT = "silent"  # a connection, and nothing more in time
    NONE = "none"  # no connection, or one that was closed without a byte


async def ask(port: int, path: str, timeout_s: float = ASK_S) -> Answer:
    """What 127.0.0.1 answers to GET `path`."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.readline()).split(b" ")
        if status == [b""]:
            return Answer.NONE
        return Answer.READY if len(status) > 1 and status[1][:1] == b"2" else Answer.OTHER
    except TimeoutError:
        return Answer.NONE if writer is None else Answer.SILENT
    except (OSError, ValueError):
        return Answer.NONE
    finally:
        if writer is not None:
            writer.close()


def refuses(port: int) -> bool:
    """Whether nobody listens at a port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(SILENT_S)
        return probe.connect_ex(("127.0.0.1", port)) != 0
