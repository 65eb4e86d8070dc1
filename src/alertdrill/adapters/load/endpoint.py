"""Where requests go, and what every one of them has in common."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from urllib.parse import urlsplit

from alertdrill.protocols.forms import JSON_TYPE


class Endpoint:
    """Address and request head of the target.

    Attributes:
        host: name or address to connect to.
        port: TCP port.
        secure: whether TLS is spoken there.
        path: path of the endpoint, that of the URL in front.
    """

    def __init__(
        self,
        url: str,
        path: str,
        run_id: str,
        headers: Mapping[str, str],
        authority: str | None = None,
        content_type: str = JSON_TYPE,
    ) -> None:
        """Read the URL.

        Args:
            url: address of the first server on the wire.
            path: of the endpoint, behind the URL's own.
            run_id: of the drill.
            headers: sent with every request.
            authority: value of the Host header; None: what the URL says.
            content_type: of the bodies.

        Raises:
            ValueError: the URL is not http(s) with a host, or a header would break the request.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"load: got url {url!r}, expected http://HOST:PORT or https://HOST:PORT")
        self.secure = parts.scheme == "https"
        self.host = parts.hostname
        self.port = parts.port or (443 if self.secure else 80)
        self.path = parts.path.rstrip("/") + path
        ours = {"content-length", "transfer-encoding", "connection", "x-alertdrill-run", "x-alertdrill-seq"}
        given = {name: value for name, value in headers.items() if name.lower() not in ours}
        fixed = {"Host": authority or parts.netloc.rpartition("@")[2], "Content-Type": content_type}
        replaced = {name.lower() for name in given}
        kept = {name: value for name, value in fixed.items() if name.lower() not in replaced}
        self._headers = {**kept, **given, "x-alertdrill-run": run_id}
        self._heads: dict[str | None, bytes] = {None: self._head(self._headers)}

    def _head(self, headers: Mapping[str, str]) -> bytes:
        """A request's head up to its number."""
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if any(character in line for line in [self.path, *lines] for character in "\r\n"):
            raise ValueError("load: a header or the path holds a line break; remove it from target.headers")
        return "\r\n".join([f"POST {self.path} HTTP/1.1", *lines, "x-alertdrill-seq: "]).encode("latin-1")

    def _head_with(self, content_type: str) -> bytes:
        others = {name: value for name, value in self._headers.items() if name.lower() != "content-type"}
        return self._head({**others, "Content-Type": content_type})

    def encode(self, k: int, indices: Iterable[int], bodies: Sequence[bytes], types: Mapping[int, str]) -> list[bytes]:
        """Requests `k.i` as they go on the wire.

        Args:
            k: number of their segment.
            indices: their i.
            bodies: one a request.
            types: by position, the content types that replace that of the endpoint.
        """
        heads = [self._heads[None]] * len(bodies)
        for position, content_type in types.items():
            if content_type not in self._heads:
                self._heads[content_type] = self._head_with(content_type)
            heads[position] = self._heads[content_type]
        return [
            b"%b%d.%d\r\nContent-Length: %d\r\n\r\n%b" % parts
            for parts in zip(heads, repeat(k), indices, map(len, bodies), bodies)
        ]
