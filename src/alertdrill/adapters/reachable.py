"""Whether a target that already runs can be reached, and over TLS whether it is the one that is meant."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from alertdrill.adapters.certificate import AT_URL, CONNECT_TIMEOUT_S, untrusted
from alertdrill.adapters.yaml_file import beside, locate
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import ServerTls
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.grammar import Path as KeyPath
from alertdrill.tls import BadTlsFile, TlsSettings, said

GOODBYE_S = 0.5
READ_BYTES = 1 << 16


def tls_settings(written: ServerTls | None, where: KeyPath, scenario_path: Path) -> TlsSettings:
    """What a scenario says of TLS, its files beside the scenario.

    Args:
        written: what it says.
        where: keys to that.
        scenario_path: the scenario.

    Raises:
        BadInput: a file of it cannot be used.
    """
    written = written or ServerTls()
    files = {name: beside(scenario_path, file) for name in ("ca", "cert", "key") if (file := getattr(written, name))}
    settings = TlsSettings(**files, verify=written.verify, server_name=written.server_name).absolute()
    try:
        settings.context()
    except BadTlsFile as error:
        found = Finding((*where, error.which), error.expected, error.fix, f"{error.path.name}: {error.got}")
        raise BadInput(locate(scenario_path, [found])) from None
    return settings


def check_reachable(url: str, tls: TlsSettings, scenario_path: Path) -> None:
    """Connect once, and over TLS shake hands; not a byte of HTTP is sent.

    Raises:
        BadInput: nobody answers at `url`, or over TLS somebody else than meant, or one who does not take us.
    """
    found = _found(url, tls)
    if found is not None:
        raise BadInput(locate(scenario_path, [found]))


def _found(url: str, tls: TlsSettings) -> Finding | None:
    """What is in the way, if anything is."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    address = (parts.hostname or "", parts.port or (443 if secure else 80))
    try:
        plain = socket.create_connection(address, timeout=CONNECT_TIMEOUT_S)
    except (OSError, UnicodeError) as error:
        why = said(error) if isinstance(error, OSError) else "no host has such a name"
        fix = "start the model server, or correct the address"
        return Finding(AT_URL, "a server that answers", fix, f"{url}: {why}")
    with plain:
        return _not_secured(plain, address, url, tls) if secure else None


def _not_secured(plain: socket.socket, address: tuple[str, int], url: str, tls: TlsSettings) -> Finding | None:
    name = tls.server_name or address[0]
    try:
        session = _Session(plain, tls.context(), name)
        session.shake_hands()
        session.part()
    except ssl.SSLCertVerificationError as error:
        return untrusted(error, address, url, tls)
    except ssl.SSLError as error:
        return _no_session(error, url, tls)
    except TimeoutError:
        fix = "correct the address, or write http:// if it speaks plain HTTP"
        return Finding(AT_URL, "a TLS handshake", fix, f"{url}: none within {CONNECT_TIMEOUT_S:g} s")
    except OSError as error:
        fix = "correct the address, or write http:// if it speaks plain HTTP"
        return Finding(AT_URL, "a TLS handshake", fix, f"{url}: {said(error)}")
    return None


class _Session:
    """A TLS session whose every step is in our hands: Python's own goodbye hides what the server says to it."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def shake_hands(self) -> None:
        """Begin the session; raises OSError, ssl.SSLError of which is a kind."""
        self._until_done(self._session.do_handshake)

    def part(self) -> None:
        """Leave, and hear what is said to that: a server of TLS 1.3 refuses our certificate only now.

        Raises:
            ssl.SSLError: it refused us.
        """
        self._plain.settimeout(GOODBYE_S)
        with suppress(ssl.SSLWantReadError):
            self._session.unwrap()
        try:
            self._until_done(lambda: self._session.read(1))
        except ssl.SSLError as error:
            if "ALERT" in (error.reason or ""):
                raise
        except OSError:
            return  # it is gone at once, or stays: both are its right

    def _until_done(self, step: Callable[[], object]) -> None:
        while True:
            try:
                step()
                return
            except ssl.SSLWantReadError:
                pass
            finally:
                if self._outgoing.pending:
                    with suppress(OSError):  # a server that is gone may have said why: that is still to be read
                        self._plain.sendall(self._outgoing.read())
            if data := self._plain.recv(READ_BYTES):
                self._incoming.write(data)
            else:
                self._incoming.write_eof()


def _no_session(error: ssl.SSLError, url: str, tls: TlsSettings) -> Finding:
    reason = error.reason or ""
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason or "HANDSHAKE" in reason):
        shown = "the certificate in target.tls.cert" if tls.cert else "a client without certificate"
        fix = "write target.tls: {cert: FILE, key: FILE} with a certificate that it takes"
        return Finding(AT_URL, "a server that takes it", fix, f"{url}: {shown} is refused ({said(error)})")
    fix = "write http:// if it speaks plain HTTP, or correct the address"
    return Finding(AT_URL, "a server that speaks TLS", fix, f"{url}: {said(error)}")
