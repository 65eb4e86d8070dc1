"""The accuracy check of a monitor that runs as a process, by real SMTP on loopback."""

import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from tests.integration.monitor_process import DEADLINE_S
from tests.integration.truth_process import Monitor, model, monitor


class Postbox:
    """Keeps what it is sent; answers as `answers` says, 250 when that is used up."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.recipients: list[list[str]] = []
        self.answers: list[str] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.recipients.append([str(to) for to in envelope.rcpt_tos])
            self.messages.append(message_from_bytes(envelope.content))
        return answer

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data == LoginPassword(b"team", b"pass word"))


@contextmanager
def postbox(port: int = 0, **options: Any) -> Iterator[tuple[Postbox, int]]:
    """A running SMTP server and its port."""
    box = Postbox()
    port = port or free_port()
    controller = Controller(
        box, "127.0.0.1", port, **options, **({"authenticator": box.authenticate} if options else {})
    )
    controller.start()
    yield box, port
    controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def check(port: int, *more: str, every: str = "2s", security: str = "none") -> list[str]:
    return [
        "--accuracy-check-every", every, "--accuracy-check-threshold", "0.9", "--accuracy-check-min-labels", "20",
        "--smtp-host", "127.0.0.1", "--smtp-port", str(port), "--smtp-security", security,
        "--smtp-from", "monitor@example.com", "--smtp-to", "ml@example.com", "--smtp-to", "boss@example.com",
        "--runbook-url", "https://runbooks.example/accuracy", *more,
    ]  # fmt: skip


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        time.sleep(0.02)


def judged(running: Monitor, verdict: str, at_least: int = 1) -> None:
    running.metrics_when(lambda values: values["model_accuracy_checks_total", verdict] >= at_least)


def week(running: Monitor, name: str, wrong: int) -> None:
    """40 predictions and labels, so many of them wrong, soon after a period began."""
    for at in range(40):
        running.predict(f"{name}{at}", 80.0)
    said = [{"id": f"{name}{at}", "label": int(at >= wrong)} for at in range(40)]
    assert running.tell(said)[0] == 202


@pytest.fixture
def url() -> Iterator[str]:
    with model() as address:
        yield address


def test_a_bad_week_is_one_e_mail_with_its_numbers_and_a_good_one_none(tmp_path: Path, url: str) -> None:
    with postbox() as (box, port), monitor(tmp_path, url, *check(port)) as running:
        week(running, "bad", wrong=20)
        until(lambda: bool(box.messages))
        seen = running.metrics_when(lambda values: values["model_accuracy_check_mails_total", "sent"] == 1)
        assert seen["model_accuracy_check_state", "below"] == 1
        assert seen["model_accuracy_check_threshold", "accuracy"] == 0.9
        message = box.messages[0]
        text = message.get_payload()
        assert isinstance(text, str)
        assert message["Subject"] == "fraud: accuracy 0.5 is below 0.9"
        assert message["From"] == "monitor@example.com"
        assert box.recipients[0] == ["ml@example.com", "boss@example.com"]
        for part in ("0.5 (0.352 to 0.648)", "95%, Wilson", "40 came", "https://runbooks.example/accuracy"):
            assert part in text
        week(running, "good", wrong=0)
        judged(running, "good")
        assert sum("0.9" in str(one["Subject"]) for one in box.messages) == 1


def test_too_few_labels_are_an_e_mail_that_says_so(tmp_path: Path, url: str) -> None:
    with postbox() as (box, port), monitor(tmp_path, url, *check(port, every="1s")) as running:
        judged(running, "cannot_tell")
        until(lambda: bool(box.messages))
        assert box.messages[0]["Subject"] == "fraud: cannot tell the accuracy, 0 labels"


@pytest.mark.long
def test_a_server_that_refuses_and_one_that_is_away_get_it_again(tmp_path: Path, url: str) -> None:
    port = free_port()
    with monitor(tmp_path, url, *check(port, every="30s")) as running:
        pass
    assert running.process.returncode == 0
    with monitor(tmp_path, url, *check(port, every="1s")) as running:
        running.metrics_when(lambda values: values["model_accuracy_check_mails_total", "failed"] >= 1)
        with postbox(port) as (box, _):
            box.answers = ["451 try again later"]
            until(lambda: bool(box.messages))
            seen = running.metrics_when(lambda values: values["model_accuracy_check_mails_total", "sent"] >= 1)
        assert seen["model_accuracy_check_mails_total", "failed"] >= 2
        assert seen["model_monitor_errors_total",] == 0


def test_a_restart_neither_forgets_nor_repeats_a_week(tmp_path: Path, url: str) -> None:
    port = free_port()
    options = check(port, every="3s")
    with monitor(tmp_path, url, *options) as running:
        week(running, "bad", wrong=20)
        judged(running, "below")
        running.metrics_when(lambda values: values["model_accuracy_check_mails_total", "failed"] >= 1)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(5.0)
    with postbox(port) as (box, _):
        with monitor(tmp_path, url, *options) as running:
            until(lambda: bool(box.messages))
            running.metrics_when(lambda values: values["model_accuracy_check_mails_total", "sent"] >= 1)
            running.process.send_signal(signal.SIGKILL)
            running.process.wait(5.0)
        with monitor(tmp_path, url, *options) as running:
            judged(running, "cannot_tell")
        below = [one["Message-ID"] for one in box.messages if "below" in str(one["Subject"])]
        assert len(below) == 1


def test_starttls_and_login_keep_the_password_off_the_command_line(tmp_path: Path, url: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    login = ("--smtp-user", "team", "--smtp-password-env", "MAIL_PASSWORD", "--smtp-ca", str(tmp_path / "ca.pem"))
    environment = {**os.environ, "MAIL_PASSWORD": "pass word"}
    with postbox(tls_context=context, require_starttls=True, auth_required=True) as (box, port):
        options = check(port, *login, every="1s", security="starttls")
        with monitor(tmp_path, url, *options, environment=environment) as running:
            until(lambda: bool(box.messages))
            if sys.platform == "linux":
                assert b"pass word" not in Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
        assert box.logins[0] == (b"team", b"pass word")


def test_a_certificate_that_is_not_trusted_is_no_mail(tmp_path: Path, url: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with postbox(tls_context=context, require_starttls=True) as (box, port):
        with monitor(tmp_path, url, *check(port, every="1s", security="starttls")) as running:
            running.metrics_when(lambda values: values["model_accuracy_check_mails_total", "failed"] >= 1)
        assert not box.messages
