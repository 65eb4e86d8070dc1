"""What a drill says of a target before it starts: real servers, real certificates."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from certificates import Authority

from alertdrill.adapters.reachable import check_reachable, tls_settings
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import UrlTarget
from alertdrill.tls import TlsSettings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk) -> Iterator[int]:
    """A server that talks to every connection in turn; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(5.0)
                try:
                    talk(peer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10.0)


def _secured(context: ssl.SSLContext) -> Talk:
    def talk(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as session:
            session.recv(1)

    return talk


def _checked(tmp_path: Path, port: int, tls: str = "", host: str = "127.0.0.1", scheme: str = "https") -> None:
    """Read a scenario and connect, as `run` and `plan` do."""
    written = f"https://{host}:{port}" if scheme == "https" else f"http://{host}:{port}"
    path = tmp_path / "scenario.yaml"
    path.write_text(f"target:\n  url: {written}\n  schema: s\n  sample: s\n" + (f"  tls: {tls}\n" if tls else ""))
    settings = {key: str(value) for key, value in _pairs(tls)}
    verify = settings.pop("verify", "true") == "true"
    given = {"url": written, "schema": "s", "sample": "s"}
    target = UrlTarget.model_validate({**given, **({"tls": {**settings, "verify": verify}} if tls else {})})
    check_reachable(target.url, tls_settings(target.tls, ("target", "tls"), path), path)


def _pairs(tls: str) -> list[tuple[str, str]]:
    parts = [part.split(": ") for part in tls.strip("{}").split(", ") if part]
    return [(name, value) for name, value in parts]


def _refusal(tmp_path: Path, port: int, tls: str = "", host: str = "127.0.0.1", scheme: str = "https") -> str:
    with pytest.raises(BadInput) as caught:
        _checked(tmp_path, port, tls, host, scheme)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_certificate_of_the_named_authority_is_taken(authority: Authority, tmp_path: Path) -> None:
    with listening(_secured(authority.server())) as port:
        _checked(tmp_path, port, f"{{ca: {authority.ca}}}")


def test_an_authority_that_nobody_named_is_shown_with_its_name_and_the_way_out(
    authority: Authority, tmp_path: Path
) -> None:
    with listening(_secured(authority.server())) as port:
        said = _refusal(tmp_path, port)
    assert said.startswith(f"{tmp_path}/scenario.yaml:2:8: target.url\n")
    assert f"got https://127.0.0.1:{port}: a certificate issued by trustme v1.2.1" in said
    assert "expected one that the system's roots trust" in said
    assert "fix: write target.tls: {ca: FILE}, a PEM file with the certificate of its issuer, or drill it" in said


def test_an_expired_certificate_is_shown_with_its_date(authority: Authority, tmp_path: Path) -> None:
    with listening(_secured(authority.server(expired=True))) as port:
        said = _refusal(tmp_path, port, f"{{ca: {authority.ca}}}")
    assert f"got https://127.0.0.1:{port}: certificate expired on 2024-05-01 12:30 UTC, expected one that is" in said
    assert "fix: renew the server's certificate" in said


def test_a_certificate_of_the_future_is_shown_with_its_date(authority: Authority, tmp_path: Path) -> None:
    with listening(_secured(authority.server(not_yet=True))) as port:
        said = _refusal(tmp_path, port, f"{{ca: {authority.ca}}}")
    assert "certificate valid only from 2990-01-01 00:00 UTC on" in said


def test_a_self_signed_certificate_is_called_so_and_taken_once_it_is_named(
    authority: Authority, tmp_path: Path
) -> None:
    context, file = authority.self_signed()
    with listening(_secured(context)) as port:
        assert "a self-signed certificate, expected one that the system's roots trust" in _refusal(tmp_path, port)
        said = _refusal(tmp_path, port, f"{{ca: {file}}}")
        assert "a certificate for no name at all, expected one for 127.0.0.1" in said


def test_the_certificate_of_another_host_is_shown_with_its_names(authority: Authority, tmp_path: Path) -> None:
    names = [f"model{n}.test" for n in range(7)]
    with listening(_secured(authority.server(*names))) as port:
        said = _refusal(tmp_path, port, f"{{ca: {authority.ca}}}")
        assert "a certificate for model0.test, model1.test, model2.test, model3.test, model4.test, …, expected" in said
        assert "expected one for 127.0.0.1" in said
        _checked(tmp_path, port, f"{{ca: {authority.ca}, server_name: model6.test}}")


def test_verify_false_takes_whoever_answers(authority: Authority, tmp_path: Path) -> None:
    with listening(_secured(authority.server("a.test", expired=True))) as port:
        _checked(tmp_path, port, "{verify: false}")


def test_a_server_that_asks_for_a_certificate_gets_ours_or_the_drill_says_what_is_missing(
    authority: Authority, tmp_path: Path
) -> None:
    cert, key = authority.client()
    with listening(_secured(authority.server(asks_for_ours=True))) as port:
        _checked(tmp_path, port, f"{{ca: {authority.ca}, cert: {cert}, key: {key}}}")
        said = _refusal(tmp_path, port, f"{{ca: {authority.ca}}}")
    assert "a client without certificate is refused (tlsv13 alert certificate required)" in said
    assert "fix: write target.tls: {cert: FILE, key: FILE} with a certificate that it takes" in said


def test_a_server_of_plain_http_is_told_apart(tmp_path: Path) -> None:
    def talk(peer: socket.socket) -> None:
        peer.recv(1 << 16)
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(talk) as port:
        said = _refusal(tmp_path, port)
    assert "wrong version number, expected a server that speaks TLS" in said
    assert "fix: write http:// if it speaks plain HTTP" in said


def test_a_server_that_hangs_up_on_the_handshake_is_no_tls_server(tmp_path: Path) -> None:
    with listening(lambda peer: None) as port:
        said = _refusal(tmp_path, port)
    assert "fix: " in said
    assert "TLS" in said


def test_a_silent_server_is_given_three_seconds(tmp_path: Path) -> None:
    def talk(peer: socket.socket) -> None:
        while peer.recv(1 << 16):
            pass

    with listening(talk) as port:
        said = _refusal(tmp_path, port)
    assert "none within 3 s, expected a TLS handshake" in said


def test_nobody_there_is_said_for_https_as_for_http(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    for scheme in ("http", "https"):
        said = _refusal(tmp_path, port, scheme=scheme)
        assert f"got {scheme}://127.0.0.1:{port}: Connection refused, expected a server that answers" in said


def test_a_file_that_cannot_be_used_is_shown_at_its_key(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.client()
    _, other = authority.self_signed()
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    locked = tmp_path / "locked.key"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nabc\n-----END ENCRYPTED PRIVATE KEY-----\n")
    for tls, where, what in (
        (f"{{ca: {empty}}}", "target.tls.ca", "a file without any, expected certificates in PEM form"),
        (f"{{ca: {broken}}}", "target.tls.ca", "what OpenSSL cannot read"),
        (f"{{ca: {tmp_path}}}", "target.tls.ca", "Is a directory"),
        (f"{{cert: {cert}}}", "target.tls.cert", "expected a private key in PEM form"),
        (f"{{cert: {other}, key: {key}}}", "target.tls.key", "the key of another certificate, expected the key of"),
        (f"{{cert: {cert}, key: {locked}}}", "target.tls.key", "a key with a passphrase"),
    ):
        said = _refusal(tmp_path, 1, tls)
        assert f": {where}\n" in said, said
        assert what in said
        assert "\n  fix: " in said


async def test_no_certificate_is_asked_for_a_passphrase(authority: Authority) -> None:
    settings = TlsSettings(cert=authority.client()[0], key=authority.client()[1])
    assert await asyncio.to_thread(settings.context)
