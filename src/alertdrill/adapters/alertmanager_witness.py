"""Receives what a managed Alertmanager sends: a webhook and a mail server, both on loopback."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from aiosmtpd.smtp import SMTP, Envelope, Session

from alertdrill.adapters.alert_posts import milliseconds
from alertdrill.adapters.alertmanager_config import ALERTS_HEADER, RECEIVER_HEADER
from alertdrill.adapters.post_server import MAX_BODY_BYTES, PostServer
from alertdrill.core.journal import Delivered

OnDelivery = Callable[[Delivered], None]


class WebhookWitness(PostServer):
    """Takes notifications of webhooks; the path has the number of the receiver and the kind of the integration."""

    def __init__(self, receivers: Sequence[str], on_delivery: OnDelivery, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._receivers, self._on_delivery, self._now = receivers, on_delivery, now

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.address}"

    def answer(self, method: bytes, path: bytes, body: bytes) -> tuple[int, bytes]:
        """Take in one notification."""
        received_at = self._now()
        try:
            _, number, kind = path.decode().split("/")
            told = [*_of_webhook(json.loads(body), self._receivers[int(number)], kind, received_at)]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self.refused += 1
            return 400, f"no notification of an Alertmanager: {error}".encode()
        for one in told:
            self._on_delivery(one)
        return 200, b""


def _of_webhook(content: Any, receiver: str, kind: str, received_at: float) -> Iterator[Delivered]:
    for alert in content["alerts"]:
        yield Delivered(
            at=received_at,
            receiver=receiver,
            integration=kind,
            labels=alert["labels"],
            status=alert["status"],
            starts_at_ms=milliseconds(alert["startsAt"]) or 0,
        )


class MailWitness:
    """A mail server that takes every message and keeps what it says of alerts."""

    def __init__(self, receivers: Sequence[str], on_delivery: OnDelivery, now: Callable[[], float] = time.time) -> None:
        self.refused = 0
        self._receivers, self._on_delivery, self._now = receivers, on_delivery, now
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """`host:port`.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._server is None:
            raise RuntimeError("the mail server has not been started")
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Smtp(self, loop=loop), "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one message; what aiosmtpd calls when it has come whole."""
        received_at = self._now()
        content = envelope.content
        headers = BytesHeaderParser(policy=compat32).parsebytes(content if isinstance(content, bytes) else b"")
        try:
            told = [*_of_mail(headers, self._receivers, tuple(envelope.rcpt_tos), received_at)]
        except (ValueError, LookupError) as error:
            self.refused += 1
            return f"554 no notification of an Alertmanager: {error}"
        for one in told:
            self._on_delivery(one)
        return "250 OK"


class _Smtp(SMTP):
    """Long lines are taken: the header with the alerts of a large group is one."""

    line_length_limit = MAX_BODY_BYTES

    def __init__(self, witness: MailWitness, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(witness, data_size_limit=MAX_BODY_BYTES, enable_SMTPUTF8=True, hostname="localhost", loop=loop)


def _of_mail(
    headers: Message, receivers: Sequence[str], to: tuple[str, ...], received_at: float
) -> Iterator[Delivered]:
    receiver = receivers[int(headers[RECEIVER_HEADER] or "none")]
    for part in "".join(str(headers[ALERTS_HEADER]).splitlines()).split(";"):
        if part.strip():
            status, starts_at_ms, labels = part.split()
            yield Delivered(
                at=received_at,
                receiver=receiver,
                integration="email",
                to=to,
                labels=_labels(labels),
                status=_status(status),
                starts_at_ms=int(starts_at_ms),
            )


def _labels(text: str) -> Mapping[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _status(text: str) -> Any:
    if text not in ("firing", "resolved"):
        raise ValueError(f"no status of an alert: {text!r}")
    return text
