"""What is wrong with the certificate of a target, in the words of a scenario."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from alertdrill.core.scenario.finding import Finding
from alertdrill.tls import TlsSettings, said

AT_URL = ("target", "url")
CONNECT_TIMEOUT_S = 3.0
IGNORE_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, and below its X509_V_ERR_…
SELF_SIGNED = 18
SHOWN_NAMES, SHOWN_CHARACTERS = 5, 80
OUT_OF_TIME, OTHER_HOST, ISSUER_UNKNOWN = {9, 10}, {62, 64}, {2, SELF_SIGNED, 19, 20, 21}
UNVERIFIED = "drill it unchecked with target.tls: {verify: false}"


def untrusted(error: ssl.SSLCertVerificationError, address: tuple[str, int], url: str, tls: TlsSettings) -> Finding:
    """Why the certificate of the server at `address` is not taken, and what can be done.

    Args:
        error: of the handshake.
        address: host and port.
        url: the same, as the user wrote it.
        tls: what was checked.
    """
    shown = _certificate(address, tls)
    if error.verify_code in OUT_OF_TIME:
        return _out_of_time(shown, url)
    if error.verify_code in OTHER_HOST:
        return _other_host(shown, tls.server_name or address[0], url)
    if error.verify_code in ISSUER_UNKNOWN:
        return _issuer_unknown(shown, error.verify_code == SELF_SIGNED, url, tls)
    fix = f"give the server another certificate, or {UNVERIFIED}"
    return Finding(AT_URL, "a certificate that can be trusted", fix, f"{url}: {said(error)}")


def _other_host(shown: dict[str, Any], name: str, url: str) -> Finding:
    names = [value for _, value in shown.get("subjectAltName", ())]
    some = ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "")
    fix = f"write one of its names in target.url or in target.tls.server_name, or {UNVERIFIED}"
    return Finding(AT_URL, f"one for {name}", fix, f"{url}: a certificate for {some or 'no name at all'}")


def _issuer_unknown(shown: dict[str, Any], self_signed: bool, url: str, tls: TlsSettings) -> Finding:
    got = "a self-signed certificate" if self_signed else f"a certificate issued by {_issuer(shown)}"
    trusted = "target.tls.ca trusts" if tls.ca else "the system's roots trust"
    whose = "that certificate" if self_signed else "the certificate of its issuer"
    fix = f"write target.tls: {{ca: FILE}}, a PEM file with {whose}, or {UNVERIFIED}"
    return Finding(AT_URL, f"one that {trusted}", fix, f"{url}: {got}")


def _out_of_time(shown: dict[str, Any], url: str) -> Finding:
    now = time.time()
    start, end = (_instant(shown.get(key)) for key in ("notBefore", "notAfter"))
    if end is not None and end < now:
        got = f"certificate expired on {_date(end)}"
    elif start is not None and start > now:
        got = f"certificate valid only from {_date(start)} on"
    else:
        got = "certificate whose issuer's certificate is out of date"
    fix = f"renew the server's certificate (or correct this machine's clock), or {UNVERIFIED}"
    return Finding(AT_URL, f"one that is valid now, {_date(now)}", fix, f"{url}: {got}")


def _instant(text: str | None) -> float | None:
    return None if text is None else float(ssl.cert_time_to_seconds(text))


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _issuer(shown: dict[str, Any]) -> str:
    names = {key: value for part in shown.get("issuer", ()) for key, value in part}
    return (names.get("commonName") or names.get("organizationName") or "nobody we know")[:SHOWN_CHARACTERS]


def _certificate(address: tuple[str, int], tls: TlsSettings) -> dict[str, Any]:
    """The certificate that a server shows, whoever issued it and for whatever time; empty if it is not shown again.

    Python reads only a certificate that is trusted: it is asked for once more, with itself as the only thing trusted.
    """
    try:
        unchecked = TlsSettings(cert=tls.cert, key=tls.key, verify=False).context()
        with _session(address, unchecked, tls) as session:
            encoded = session.getpeercert(binary_form=True)
        if encoded is None:
            return {}
        itself = ssl.create_default_context(cadata=encoded)
        itself.check_hostname = False
        itself.verify_flags |= ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | IGNORE_TIME)
        if tls.cert is not None:
            itself.load_cert_chain(tls.cert, tls.key)
        with _session(address, itself, tls) as session:
            return dict(session.getpeercert() or {})
    except OSError:
        return {}


@contextmanager
def _session(address: tuple[str, int], context: ssl.SSLContext, tls: TlsSettings) -> Iterator[ssl.SSLSocket]:
    name = tls.server_name or address[0]
    with (
        socket.create_connection(address, timeout=CONNECT_TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as session,
    ):
        yield session
