"""What the monitor answers to browsers: the page, and beside it the numbers that it shows, as JSON."""

import secrets
import time
from collections.abc import Callable

import orjson

from alertdrill.monitor.page.document import CLOSED, Answer, document
from alertdrill.monitor.page.samples import Samples

FRESH_S = 0.5
LIMITS = {"errors": 0.05, "malformed": 0.02, "nulls": 0.05, "latency_s": 0.25}
"""From where on the page calls something bad: where the alerts of the drill profile fire, unless told otherwise."""

ROOT = "/"


class Page:
    """The page of one model, at a path of its own and, where the model has nothing there, at `/`.

    Attributes:
        data_path: of the numbers.

    Args:
        path: of the page; its numbers are at the same with `.json`.
        model, version: names of what is watched.
        scrape: all metrics as text, everything that waits counted.
    """

    def __init__(self, path: str, model: str, version: str, scrape: Callable[[], bytes]) -> None:
        self.data_path = f"{path}.json"
        self._model, self._version = model, version
        self._scrape = scrape
        name = self.data_path.rpartition("/")[2]
        self._documents = {path: document(model, name), ROOT: document(model, self.data_path[1:])}
        self._samples = Samples()
        self._instance = secrets.token_hex(8)
        self._made_at = -FRESH_S
        self._data = b""

    def has(self, path: str) -> bool:
        """Whether a GET of a path may concern the page."""
        return path == self.data_path or path in self._documents

    def answer(self, path: str, accept: bytes) -> Answer | None:
        """What is answered to a GET; None: that is the model's.

        Args:
            path: without query.
            accept: the request's header of that name; only who names HTML is taken for a browser at `/`.
        """
        if path == self.data_path:
            return Answer(200, (*CLOSED, (b"content-type", b"application/json")), self.data())
        if path == ROOT:
            return self._documents[ROOT]._replace(last_resort=True) if b"text/html" in accept else None
        return self._documents.get(path)

    def data(self) -> bytes:
        """All numbers as JSON; however many look, they are put together twice a second at most."""
        if time.monotonic() - self._made_at >= FRESH_S:
            tree = self._samples.tree(self._scrape().decode())
            self._made_at = time.monotonic()
            self._data = orjson.dumps(
                {
                    "model": self._model,
                    "version": self._version,
                    "instance": self._instance,
                    "at_s": time.time(),
                    "steady_s": self._made_at,
                    "limits": LIMITS,
                    "metrics": tree,
                }
            )
        return self._data
