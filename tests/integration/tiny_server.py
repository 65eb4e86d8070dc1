"""A server with workers, for tests of what keeps a target: `tiny_server.py PORT FOLDER [--workers N] [--ignore-term]`.

Every process of it writes its id into the folder. The listener is shared, so that each worker answers by itself; the
last worker is detached from all others, as a daemon is.
"""

import argparse
import http.server
import os
import signal
import socket
import sys
import time
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """A model that finds everything alike, and how often it was asked."""

    scored = 0

    def do_GET(self) -> None:
        """Answer 503 to /never, else 200."""
        self._answer(503 if self.path == "/never" else 200, f"scored_total {self.scored}\n".encode())

    def do_POST(self) -> None:
        """Answer the same score to every row."""
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).scored += 1
        self._answer(200, b'{"score": 0.5}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def work(listener: socket.socket, folder: Path) -> None:
    """Answer until ended."""
    (folder / str(os.getpid())).touch()
    server = http.server.HTTPServer(listener.getsockname(), Handler, bind_and_activate=False)
    server.socket = listener
    server.serve_forever()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--ignore-term", action="store_true")
    options = parser.parse_args()
    if options.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("tiny server begins", flush=True)
    listener = socket.create_server(("127.0.0.1", options.port))
    for number in range(options.workers):
        if os.fork() == 0:
            if number == options.workers - 1:
                os.setsid()
                if os.fork():
                    os._exit(0)
            work(listener, options.folder)
    if options.workers:
        (options.folder / str(os.getpid())).touch()
        while True:
            time.sleep(60)
    work(listener, options.folder)


if __name__ == "__main__":
    sys.exit(main())
