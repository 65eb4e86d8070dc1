"""A real reverse proxy in front of a real server, that lets nobody through who does not show what it demands."""

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Headers = Mapping[str, str]
Verdict = tuple[int, dict[str, str], str] | None


@dataclass
class Gate:
    """Where it listens, and what came through.

    Attributes:
        url: its address.
        judge: what it answers instead of letting somebody through; None: let through.
        passed: method and path of every request that was let through, with the client that sent it.
    """

    url: str
    judge: Callable[[Headers], Verdict]
    passed: list[tuple[str, str, str]] = field(default_factory=list)
    changed: Callable[[str, bytes], bytes] = lambda path, body: body

    def clients(self) -> set[str]:
        """The programs whose requests were let through, by their `User-Agent`."""
        return {client.split("/")[0] for _, _, client in self.passed}


def demands(
    name: str, value: str, status: int = 401, says: str = "who are you?", **answer: str
) -> Callable[[Headers], Verdict]:
    """Let through who sends one header."""
    return lambda headers: None if headers.get(name) == value else (status, answer, says)


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """Have a server answer, in a thread of its own."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def gate(
    upstream: str,
    judge: Callable[[Headers], Verdict],
    prefix: str = "",
    context: ssl.SSLContext | None = None,
    unknown: tuple[str, ...] = (),
    changed: Callable[[str, bytes], bytes] = lambda path, body: body,
) -> Iterator[Gate]:
    """Pass requests below `prefix` on to `upstream`; paths that begin as `unknown` says are not there.

    `changed` turns the body of an answer, by the path that was asked for, into the one that is sent.
    """
    target = urlsplit(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            verdict = found.judge(self.headers)
            if verdict is None and self.path.removeprefix(prefix).startswith(unknown):
                verdict = (404, {}, "404 page not found")
            if verdict is not None:
                self.answer(verdict[0], verdict[1], verdict[2].encode())
                return
            found.passed.append((self.command, self.path, self.headers.get("User-Agent", "")))
            behind = http.client.HTTPConnection(target.netloc, timeout=10)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            kept["Accept-Encoding"] = "identity"
            behind.request(self.command, target.path + self.path.removeprefix(prefix), body, kept)
            answer = behind.getresponse()
            body = found.changed(self.path.removeprefix(prefix), answer.read())
            self.answer(answer.status, {"Content-Type": answer.headers.get("Content-Type", "")}, body)
            behind.close()

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

        def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    found = Gate(f"{scheme}://127.0.0.1:{server.server_address[1]}{prefix}", judge, changed=changed)
    with running(server):
        yield found
