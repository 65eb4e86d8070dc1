"""What can go wrong when a Prometheus is asked, told apart: unreachable, slow, not a Prometheus, refused, garbage."""

import os
import re
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import orjson

from alertdrill.adapters.access import Access
from alertdrill.adapters.secret import NoSecret
from alertdrill.core.errors import AlertdrillError

Kind = Literal[
    "unreachable",
    "timeout",
    "not_prometheus",
    "untrusted",
    "unauthorized",
    "refused",
    "unavailable",
    "partial",
    "garbage",
]

SHOWN_CHARACTERS = 200
MAX_CHAIN = 10
ABOUT_PROMQL = ("PromQL info", "PromQL warning")
_BASE_ADDRESS = "write the base address of a Prometheus, such as http://127.0.0.1:9090 (with its path prefix, if any)"
_ERRNO = re.compile(r"\[Errno (-?\d+)\] ([^'\")\](]+)")


class QueryFailed(AlertdrillError):
    """A Prometheus did not give an answer that can be used.

    Attributes:
        url: the Prometheus, without password.
        query: what was asked: a path, or PromQL.
        kind: `unreachable`, `timeout`, `not_prometheus`, `untrusted` (TLS), `unauthorized` (401, 403), `refused` (it
            says why), `unavailable` (429, 5xx), `partial` (it says itself that something is missing) or `garbage` (cut
            short, or not what its interface promises).
        what: what it did instead, in a sentence.
        fix: what to do about it.
    """

    def __init__(self, url: str, query: str, kind: Kind, what: str, fix: str) -> None:
        self.url, self.query, self.kind, self.what, self.fix = without_password(url), query, kind, what, fix
        super().__init__(f"{self.url}: {query}\n  {what}\n  fix: {fix}")


def without_password(url: str) -> str:
    """The address with `***` for a password in it."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}"))


def unreachable(access: Access, query: str, error: Exception) -> QueryFailed:
    """No connection could be made."""
    about_tls = access.untrusted(error)
    if about_tls is not None:
        return QueryFailed(access.url, query, "untrusted", *about_tls)
    return QueryFailed(access.url, query, "unreachable", f"cannot be reached: {cause_of(error)}", _BASE_ADDRESS)


def without_secret(access: Access, query: str, error: NoSecret) -> QueryFailed:
    """What must be shown to it cannot be read."""
    return QueryFailed(access.url, query, "unauthorized", f"nothing was asked: got {error}", error.fix)


def timed_out(access: Access, query: str, timeout_s: float) -> QueryFailed:
    """No whole answer came in time."""
    fix = "see whether it is overloaded or stopped; a narrower query is answered sooner"
    return QueryFailed(access.url, query, "timeout", f"no answer within {timeout_s:g} s", fix)


def broken(access: Access, query: str, error: Exception) -> QueryFailed:
    """What came is no HTTP answer, or not a whole one."""
    about_tls = access.untrusted(error)
    if about_tls is not None:
        return QueryFailed(access.url, query, "untrusted", *about_tls)
    what = f"does not speak HTTP, or cut its answer short: {cause_of(error)}"
    return QueryFailed(access.url, query, "garbage", what, _BASE_ADDRESS)


def malformed(access: Access, query: str, error: Exception) -> QueryFailed:
    """An answer that says success, but does not have the shape that Prometheus's interface promises."""
    what = f"the answer is not what Prometheus would say: {type(error).__name__}: {_cut(str(error))}"
    return QueryFailed(access.url, query, "garbage", what, _BASE_ADDRESS)


def answer_data(access: Access, query: str, status: int, headers: dict[str, str], body: bytes) -> Any:
    """The `data` of a successful answer.

    Args:
        access: the way to the Prometheus.
        query: what was asked.
        status: HTTP status.
        headers: names in lower case.
        body: the whole body, decoded.

    Raises:
        QueryFailed: for any other answer.
    """
    answer = _json(body)
    if isinstance(answer, dict) and answer.get("status") == "success" and "data" in answer and status == 200:
        _check_whole(access, query, answer)
        return answer["data"]
    check_status(access, query, status, headers, body)
    if not body.strip():
        raise QueryFailed(access.url, query, "not_prometheus", "the answer is empty", _BASE_ADDRESS)
    kind = headers.get("content-type", "unknown type")
    what = f"the answer is not Prometheus's JSON but {kind}: {_said(access, body)}"
    raise QueryFailed(access.url, query, "not_prometheus", what, _BASE_ADDRESS)


def _check_whole(access: Access, query: str, answer: dict[str, Any]) -> None:
    """Refuse an answer with warnings, but for those of PromQL itself, which are about the question.

    A server in front of several, such as Thanos, answers with what it could reach, and says so in a warning alone.
    """
    said = [one for one in answer.get("warnings") or () if not str(one).startswith(ABOUT_PROMQL)]
    if said:
        what = f"the answer may not be whole: {_said(access, '; '.join(map(str, said)))}"
        raise QueryFailed(access.url, query, "partial", what, "see that all it asks can be reached, then run again")


def check_status(access: Access, query: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Return if the status is 200.

    Raises:
        QueryFailed: for any other status.
    """
    if status == 200:
        return
    if status in (401, 403):
        about = access.denied(status, headers.get("www-authenticate", ""), _said(access, body))
        raise QueryFailed(access.url, query, "unauthorized", *about)
    if 300 <= status < 400:
        what = f"it answers {status} and leads to {access.without_secrets(headers.get('location', 'nowhere'))}"
        fix = "write the address it leads to, or that of the Prometheus"
        raise QueryFailed(access.url, query, "not_prometheus", what, fix)
    answer = _json(body)
    if isinstance(answer, dict) and answer.get("status") == "error":
        what = f"refused ({status}, {answer.get('errorType', 'unknown')}): {_said(access, answer.get('error', ''))}"
        raise QueryFailed(access.url, query, "refused", what, _fix_of(str(answer.get("errorType"))))
    said = _said(access, body)
    if status == 429 or status >= 500:
        fix = "see its log, and that of any proxy in front of it; then run again"
        raise QueryFailed(access.url, query, "unavailable", f"it answers {status}: {said or 'nothing else'}", fix)
    fix = f"write https:// in {access.option}.url" if "to an HTTPS server" in said else _BASE_ADDRESS
    raise QueryFailed(access.url, query, "not_prometheus", f"it answers {status}: {said or 'nothing else'}", fix)


def _fix_of(error_type: str) -> str:
    if error_type == "bad_data":
        return "correct the query"
    if error_type in ("timeout", "canceled", "execution"):
        return "correct or narrow the query: the engine could not evaluate it"
    return "see its log, then run again"


def _said(access: Access, text: object) -> str:
    """What a server says, on one line, without what was shown to it."""
    return _cut(access.without_secrets(text.decode(errors="replace") if isinstance(text, bytes) else str(text)))


def _json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def cause_of(error: BaseException) -> str:
    """What the operating system said, somewhere in the chain of causes; else the error's own text."""
    link: BaseException | None = error
    for _ in range(MAX_CHAIN):
        if link is None:
            break
        if isinstance(link, BaseExceptionGroup):
            link = link.exceptions[0]
        number = _ERRNO.search(str(link))
        if number:
            return os.strerror(int(number[1])) if int(number[1]) > 0 else number[2].strip()
        link = link.__cause__ or link.__context__
    return _cut(str(error) or type(error).__name__)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[:SHOWN_CHARACTERS] + "…"
