"""The page as one document: its style and script stand in it, and nothing else can run or be fetched."""

import base64
import hashlib
import html
from functools import cache
from importlib.resources import files
from typing import NamedTuple

SCRIPTS = ("figures.js", "charts.js", "attention.js", "views.js", "live.js")
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
