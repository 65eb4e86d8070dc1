"""Locust's HTTP clients, made to send what goes to the endpoint when the plan says, and with its faults."""

import inspect
import json as json_module
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import GreenletExit
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import StopUser

from alertdrill.adapters.load.client_tls import ClientTls
from alertdrill.adapters.load.endpoint import Endpoint
from alertdrill.adapters.load.instants import monotonic_s
from alertdrill.adapters.load.outcome import keep_answers, outcome
from alertdrill.adapters.load.paced import LoadOver, PacedRun, Ticket
from alertdrill.adapters.load.request import Failure
from alertdrill.adapters.load.session_failure import Why, why
from alertdrill.adapters.load.task import Task
from alertdrill.core.faults.base import Body
from alertdrill.protocols.forms import JSON_TYPE

LATE = "no whole answer in time"
RETRY_S = 0.5  # for a client to give up; one that its user told to try again does not

Call = dict[str, Any]
"""The arguments of a client's `request` by name, `self` included."""

_SIGNATURES: dict[type, inspect.Signature] = {
    client: inspect.signature(client.request) for client in (HttpSession, FastHttpSession)
}
"""Taken before the locustfile is imported, which may put functions of its own in their place."""


class _StillCalling(GreenletExit):  # type: ignore[misc]
    """A client tries again although its time is over: retries catch a timeout, but not the end of a user."""


class Pacer:
    """Stands before `request` of Locust's clients."""

    def __init__(self, run: PacedRun, task: Task) -> None:
        """Change nothing yet.

        Args:
            run: gives leave to send.
            task: says where the endpoint is.

        Raises:
            ValueError: its URL cannot be used.
        """
        plan, arguments = task.plan, task.arguments
        self._run, self._run_id, self._timeout_s = run, plan.run_id, arguments.timeout_s
        self._path = Endpoint(arguments.url, plan.target.schema_.path, plan.run_id, {}).path
        self._address = urlsplit(arguments.url).netloc.rpartition("@")[2]
        self._authority = arguments.authority
        self._tls = ClientTls(arguments.tls, arguments.url)

    def install(self) -> None:
        """Stand before the clients of HttpUser and FastHttpUser from now on."""
        keep_answers()
        self._stand_before(HttpSession, partial(json_module.dumps, allow_nan=False))
        self._stand_before(FastHttpSession, json_module.dumps)

    def _stand_before(self, client: type, dumps: Callable[[object], str]) -> None:
        original, signature = client.request, _SIGNATURES[client]  # type: ignore[attr-defined]

        def request(*args: Any, **kwargs: Any) -> Any:
            call = dict(signature.bind(*args, **kwargs).arguments)
            call |= call.pop("kwargs", {})
            return self._request(original, call, dumps)

        client.request = request  # type: ignore[attr-defined]

    def _request(self, original: Callable[..., Any], call: Call, dumps: Callable[[object], str]) -> Any:
        where = urlsplit(call["self"]._build_url(call["url"]))
        if where.netloc != self._address:
            return original(**call)
        self._tls.apply(call["self"], call)
        call["headers"] = headers = dict(call.get("headers") or {})
        if self._authority is not None and not _named(headers, "host"):
            headers["Host"] = self._authority
        if str(call["method"]).upper() != "POST" or where.path != self._path:
            return original(**call)
        try:
            data = _data(call, dumps)
        except (TypeError, ValueError):
            return original(**call)  # which refuses it as well, in the words that its user knows
        session_headers: Mapping[str, Any] = getattr(call["self"], "headers", {})
        written = _named(headers, "content-type") or _named(session_headers, "content-type") or JSON_TYPE
        body = Body(data, written)
        if not call.get("data") and call.get("json") is not None:
            _put(call, body)  # another user may change the object that this one waits with
        try:
            ticket = self._run.ticket(body)
        except LoadOver:
            raise StopUser from None
        headers["x-alertdrill-run"] = self._run_id
        headers["x-alertdrill-seq"] = f"{ticket.request.k}.{ticket.request.index}"
        if ticket.body != body:
            _put(call, ticket.body)
        return self._send(original, call, ticket)

    def _send(self, original: Callable[..., Any], call: Call, ticket: Ticket) -> Any:
        """Make a call, and tell what came of it."""
        request = ticket.request
        request.attempted = began = monotonic_s()
        try:
            response, found = self._response(original, call)
        except BaseException as error:
            failure, left = why(error)
            self._run.over(request, began if left else 0.0, failure=failure)
            raise
        if isinstance(found, Why):
            self._run.over(request, began if found.left else 0.0, failure=found.failure)
        else:
            elapsed = getattr(response, "elapsed", None)
            answering = began + elapsed.total_seconds() if elapsed is not None else 0.0
            self._run.over(request, began, answering=answering, status=found[0], content=found[1])
        return response

    def _response(self, original: Callable[..., Any], call: Call) -> tuple[Any, tuple[int, bytes | None] | Why]:
        """What a call gives, and its outcome.

        Raises:
            TimeoutError: it took too long, and its client did not make a response of that.
            BaseException: the client's own, or whatever ends the user meanwhile.
        """
        late, still = TimeoutError(LATE), _StillCalling()
        try:
            with gevent.Timeout(self._timeout_s + RETRY_S, still), gevent.Timeout(self._timeout_s, late) as in_time:
                response = original(**call)
                found = outcome(response, bool(call.get("stream")))
                if isinstance(found, Why) and not in_time.pending:
                    found = Why(Failure.TIMEOUT, True)
                return response, found
        except _StillCalling as error:
            if error is not still:
                raise
            raise TimeoutError(LATE) from None


def _named(headers: Mapping[str, Any], name: str) -> str | None:
    """The value of a header, whatever the case of its name."""
    found = next((value for key, value in headers.items() if key.lower() == name), None)
    return found.decode("latin-1") if isinstance(found, bytes) else found


def _data(call: Call, dumps: Callable[[object], str]) -> bytes:
    """The bytes that a client is about to send; none where they are neither text nor JSON, such as those of a form.

    Raises:
        TypeError, ValueError: what is to be sent as JSON is none.
    """
    data, value = call.get("data"), call.get("json")
    if not data and value is not None:
        return dumps(value).encode()
    if isinstance(data, str):
        return data.encode()
    return bytes(data) if isinstance(data, bytes | bytearray) else b""


def _put(call: Call, body: Body) -> None:
    """Have a client send another body than the one that it was given."""
    headers = call["headers"]
    for name in [name for name in headers if name.lower() == "content-type"]:
        del headers[name]
    headers["Content-Type"] = body.content_type
    if _named(headers, "accept") is None and isinstance(call["self"], FastHttpSession) and call.get("json") is not None:
        headers["Accept"] = JSON_TYPE
    call["data"], call["json"] = body.data, None
