"""What the monitor answers to browsers: the page, and beside it the numbers that it shows, as JSON."""

import base64
import hashlib
import html
import secrets
import time
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import orjson

from alertdrill.monitor.page.samples import Samples

SCRIPTS = ("figures.js", "charts.js", "attention.js", "views.js", "live.js")
FRESH_S = 0.5
LIMITS = {"errors": 0.05, "malformed": 0.02, "nulls": 0.05, "latency_s": 0.25}
"""From where on the page calls something bad: where the alerts of the drill profile fire, unless told otherwise."""

ROOT = "/"
CLOSED = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Answer(NamedTuple):
    """An answer to a browser.

    Attributes:
        status, headers, body: of it.
        last_resort: it is given only where the model has none of its own.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    last_resort: bool = False


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
        self._path, self.data_path = path, f"{path}.json"
        self._model, self._version = model, version
        self._scrape = scrape
        self._samples = Samples()
        self._instance = secrets.token_hex(8)
        self._made_at = -FRESH_S
        self._data = b""

    def has(self, path: str) -> bool:
        """Whether a GET of a path may concern the page."""
        return path in (ROOT, self._path, self.data_path)

    def answer(self, path: str, accept: bytes) -> Answer | None:
        """What is answered to a GET; None: that is the model's.

        Args:
            path: without query.
            accept: the request's header of that name; only who names HTML is taken for a browser at `/`.
        """
        if path == self.data_path:
            return Answer(200, (*CLOSED, (b"content-type", b"application/json")), self.data())
        if path == self._path:
            return document(self._model, self.data_path.rpartition("/")[2])
        if path == ROOT and b"text/html" in accept:
            return document(self._model, self.data_path[1:])._replace(last_resort=True)
        return None

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


def document(model: str, data: str) -> Answer:
    """The page.

    Args:
        model: shown as its title.
        data: address of its numbers, seen from the page's own: a proxy in front may have put both below a path.
    """
    text = _template().replace("{{data}}", html.escape(data)).replace("{{model}}", html.escape(model))
    return Answer(200, _headers(), text.encode())


def _asset(name: str) -> str:
    return (files("alertdrill.monitor.page") / "assets" / name).read_text("utf-8")


@cache
def _style() -> str:
    return _asset("page.css")


@cache
def _script() -> str:
    return "".join([_asset(name) for name in SCRIPTS])


@cache
def _template() -> str:
    return _asset("page.html").replace("{{style}}", _style()).replace("{{script}}", _script())


@cache
def _headers() -> tuple[tuple[bytes, bytes], ...]:
    """Nothing runs, and nothing is drawn with, but what the page was written with; nothing is fetched but its data."""
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src data:; script-src {_hash(_script())}; "
        f"style-src {_hash(_style())}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return (*CLOSED, (b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", policy.encode()))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
