"""Receives the alerts that Prometheus posts, as an Alertmanager would, and hands each post on with its arrival time."""

import time
from collections.abc import Callable

from alertdrill.adapters.alert_posts import parse_post
from alertdrill.adapters.post_server import PostServer
from alertdrill.core.observations import AlertPost

PATHS = {b"/api/v2/alerts": b"", b"/api/v1/alerts": b'{"status":"success"}'}


class AlertReceiver(PostServer):
    """A server whose address goes into Prometheus's list of alertmanagers."""

    def __init__(self, on_post: Callable[[AlertPost], None], now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._on_post = on_post
        self._now = now

    def answer(self, method: bytes, path: bytes, body: bytes) -> tuple[int, bytes]:
        """Take in one request; returns the status and body of the answer."""
        received_at = self._now()
        if path not in PATHS:
            return 404, b"only /api/v1/alerts and /api/v2/alerts are here"
        if method != b"POST":
            return 405, b"only POST is taken"
        try:
            post = parse_post(body, received_at)
        except ValueError as error:
            self.refused += 1
            return 400, str(error).encode()
        self._on_post(post)
        return 200, PATHS[path]


__all__ = ["AlertPost", "AlertReceiver"]
