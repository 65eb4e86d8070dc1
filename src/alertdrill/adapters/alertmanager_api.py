"""Reads an Alertmanager, and sets and ends the silences of a drill there; nothing else of it is changed."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from alertdrill.adapters.access import Access
from alertdrill.adapters.access_httpx import http_client
from alertdrill.adapters.alert_posts import milliseconds
from alertdrill.adapters.prometheus_errors import cause_of
from alertdrill.adapters.secret import NoSecret
from alertdrill.core.errors import AlertdrillError
from alertdrill.core.matchers import Matcher, Operator
from alertdrill.core.receivers import by_name
from alertdrill.run.ports import HeldAlert, HeldSilence, SourceFailed

T = TypeVar("T")

TIMEOUT_S = 5.0
SHOWN_CHARACTERS = 200
_OPERATORS: Mapping[tuple[bool, bool], Operator] = {
    (True, False): "=",
    (False, False): "!=",
    (True, True): "=~",
    (False, True): "!~",
}
"""By whether a matcher wants what its value says, and whether that is an expression."""

NOT_WHOLE = "does not speak HTTP, or cut its answer short"
BASE_ADDRESS = "write the base address of an Alertmanager, such as http://127.0.0.1:9093 (with its path prefix, if any)"


class AskFailed(AlertdrillError):
    """An Alertmanager did not give an answer that can be used.

    Attributes:
        url: the Alertmanager.
        what: what it did instead, in a sentence.
        fix: what to do about it.
    """

    def __init__(self, url: str, path: str, what: str, fix: str) -> None:
        self.url, self.what, self.fix = url, what, fix
        super().__init__(f"{url}: {path}\n  {what}\n  fix: {fix}")


@dataclass(frozen=True)
class Status:
    """What an Alertmanager says of itself; `config` is the text of its configuration, secrets blotted out."""

    version: str
    config: str
    peers: int


class AlertmanagerHolder:
    """The alert holder port over an Alertmanager; a failed question is a SourceFailed, never an empty answer."""

    def __init__(self, api: "AlertmanagerApi", alive: Callable[[], bool]) -> None:
        self._api, self._alive = api, alive

    def alive(self) -> bool:
        """Whether its process is not known to be dead."""
        return self._alive()

    async def alerts(self, names: Sequence[str] | None) -> list[HeldAlert]:
        """The alerts with one of these names; None: all."""
        return await _asked(self._api.alerts(names))

    async def silence(self, silence_id: str) -> HeldSilence:
        """One silence."""
        return await _asked(self._api.silence(silence_id))


async def _asked(question: Awaitable[T]) -> T:
    try:
        return await question
    except AskFailed as error:
        raise SourceFailed(error.what) from error


class AlertmanagerApi:
    """Asks one Alertmanager. Every method raises `AskFailed` when there is no answer that can be used.

    Args:
        access: the way to it, or its base address, with its path prefix if it has one.
        timeout_s: time in which every single request must be answered.
    """

    def __init__(self, access: Access | str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.access = access if isinstance(access, Access) else Access(access, "monitoring.alertmanager")
        self.url, self._timeout_s = self.access.url, timeout_s
        self._http = http_client(self.access, timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def status(self) -> Status:
        """Version, configuration and how many belong to its cluster, itself included."""
        path = "/api/v2/status"
        return self._decoded(path, _status, await self._ask("GET", path))

    async def alerts(self, names: Sequence[str] | None = None) -> list[HeldAlert]:
        """The alerts with one of these names; None: all."""
        path = "/api/v2/alerts"
        query = {} if names is None else {"filter": by_name(names).text()}
        return self._decoded(path, lambda data: [_alert(one) for one in data], await self._ask("GET", path, query))

    async def silence(self, silence_id: str) -> HeldSilence:
        """One silence."""
        path = f"/api/v2/silence/{silence_id}"
        return self._decoded(path, _silence, await self._ask("GET", path))

    async def set_silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: float,
        ends_at: float,
        created_by: str,
        comment: str,
        silence_id: str | None = None,
    ) -> str:
        """Silence alerts, or change when a silence of ours ends; returns its id, which may be another than it was.

        Args:
            matchers: what the alerts must all fulfil.
            starts_at: seconds since the epoch; that of the silence, where it is changed.
            ends_at: seconds since the epoch.
            created_by: who did it.
            comment: why.
            silence_id: the silence to change; None: a new one.
        """
        body = {
            "matchers": [_sent(one) for one in matchers],
            "startsAt": _time(starts_at),
            "endsAt": _time(ends_at),
            "createdBy": created_by,
            "comment": comment,
        } | ({} if silence_id is None else {"id": silence_id})
        path = "/api/v2/silences"
        return self._decoded(path, lambda data: str(data["silenceID"]), await self._ask("POST", path, body=body))

    async def expire_silence(self, silence_id: str) -> None:
        """End a silence at once; one that has ended stays so."""
        await self._ask("DELETE", f"/api/v2/silence/{silence_id}", empty=True)

    async def _ask(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        empty: bool = False,
    ) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._http.request(method, self.url + path, params=query or None, json=body)
        except NoSecret as error:
            raise AskFailed(self.url, path, f"nothing was asked: got {error}", error.fix) from None
        except (TimeoutError, httpx.TimeoutException):
            fix = "see whether it is overloaded or stopped"
            raise AskFailed(self.url, path, f"no answer within {self._timeout_s:g} s", fix) from None
        except (httpx.HTTPError, ssl.SSLError) as error:  # refused as a client, httpx leaves that as it is
            what = "cannot be reached" if isinstance(error, httpx.ConnectError) else NOT_WHOLE
            about = self.access.untrusted(error) or (f"{what}: {cause_of(error)}", BASE_ADDRESS)
            raise AskFailed(self.url, path, *about) from None
        return None if empty and answer.status_code == 200 else self._content(path, answer)

    def _content(self, path: str, answer: httpx.Response) -> Any:
        status, text = answer.status_code, self.access.without_secrets(answer.text)
        said = " ".join(text.split())[:SHOWN_CHARACTERS]
        if status in (401, 403):
            about = self.access.denied(status, answer.headers.get("www-authenticate", ""), said)
            raise AskFailed(self.url, path, *about)
        if status == 429 or status >= 500:
            fix = "see its log, and that of any proxy in front of it; then run again"
            raise AskFailed(self.url, path, f"it answers {status}: {said or 'nothing else'}", fix)
        if status != 200:
            raise AskFailed(self.url, path, f"it answers {status}: {said or 'nothing else'}", BASE_ADDRESS)
        try:
            return answer.json()
        except (json.JSONDecodeError, UnicodeDecodeError):
            what = f"the answer is not Alertmanager's JSON: {said or 'nothing'}"
            raise AskFailed(self.url, path, what, BASE_ADDRESS) from None

    def _decoded(self, path: str, decode: Callable[[Any], T], data: Any) -> T:
        try:
            return decode(data)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            what = f"the answer is not what Alertmanager would say: {type(error).__name__}: {error}"
            raise AskFailed(self.url, path, what, BASE_ADDRESS) from None


def _status(data: Any) -> Status:
    cluster = data.get("cluster") or {}
    peers = len(cluster.get("peers") or ()) or 1
    return Status(str(data["versionInfo"]["version"]), str(data["config"]["original"]), peers)


def _alert(data: Any) -> HeldAlert:
    status = data["status"]
    return HeldAlert(
        fingerprint=str(data["fingerprint"]),
        labels={str(k): str(v) for k, v in data["labels"].items()},
        starts_at_ms=milliseconds(data["startsAt"]) or 0,
        updated_at_ms=milliseconds(data["updatedAt"]) or 0,
        ends_at=(milliseconds(data["endsAt"]) or 0) / 1000,
        state=str(status["state"]),
        receivers=tuple(str(one["name"]) for one in data["receivers"]),
        silenced_by=tuple(map(str, status.get("silencedBy") or ())),
        inhibited_by=tuple(map(str, status.get("inhibitedBy") or ())),
        muted_by=tuple(map(str, status.get("mutedBy") or ())),
    )


def _silence(data: Any) -> HeldSilence:
    return HeldSilence(
        id=str(data["id"]),
        matchers=tuple(_shown(one) for one in data["matchers"]),
        created_by=str(data["createdBy"]),
        comment=str(data["comment"]),
        ends_at=(milliseconds(data["endsAt"]) or 0) / 1000,
        active=data["status"]["state"] == "active",
    )


def _shown(data: Any) -> str:
    equal, expression = data.get("isEqual", True), data["isRegex"]
    return Matcher(str(data["name"]), _OPERATORS[equal, expression], str(data["value"])).text()


def _sent(one: Matcher) -> dict[str, Any]:
    return {"name": one.label, "value": one.value, "isRegex": one.op in ("=~", "!~"), "isEqual": one.op in ("=", "=~")}


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
