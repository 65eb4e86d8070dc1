"""How an https server is checked, and what it is shown: the settings of a client, its context, and how errors read."""

import argparse
import ssl
from dataclasses import dataclass, replace
from pathlib import Path


class BadTlsFile(Exception):
    """A file of certificates or a key cannot be used; the text says which, what was found and how to mend it.

    Attributes:
        which: `ca`, `cert` or `key`.
        path: the file.
        got: what was found.
        expected: what must be in it.
        fix: how to mend it.
    """

    def __init__(self, which: str, path: Path, got: str, expected: str, fix: str) -> None:
        super().__init__(f"{path}\n  got {got}, expected {expected}\n  fix: {fix}")
        self.which, self.path, self.got, self.expected, self.fix = which, path, got, expected, fix


@dataclass(frozen=True)
class TlsSettings:
    """What a client checks and shows.

    Attributes:
        ca: PEM file of the certificates that are trusted instead of the system's roots.
        cert: PEM file of the client's own certificate with its chain.
        key: PEM file of its key, without a passphrase; None: it is in `cert`.
        verify: whether the server's certificate is checked.
        server_name: what the server is asked for and must be certified as; None: the host that is connected to.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True
    server_name: str | None = None

    def context(self) -> ssl.SSLContext:
        """A context for connections of HTTP/1.1 that are never renegotiated.

        Raises:
            BadTlsFile: a file cannot be used.
        """
        context = self._trusting()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert is not None:
            self._load_own(context, self.cert)
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_RENEGOTIATION
        return context

    def absolute(self) -> "TlsSettings":
        """The same for a process that works in another folder."""
        ca, cert, key = (None if path is None else path.resolve() for path in (self.ca, self.cert, self.key))
        return replace(self, ca=ca, cert=cert, key=key)

    def arguments(self) -> list[str]:
        """The options of a command line that `add_options` reads."""
        files = (("--upstream-ca", self.ca), ("--upstream-cert", self.cert), ("--upstream-key", self.key))
        given = [part for option, path in files if path is not None for part in (option, str(path))]
        given += ["--upstream-server-name", self.server_name] if self.server_name is not None else []
        return given if self.verify else [*given, "--upstream-unverified"]

    def _trusting(self) -> ssl.SSLContext:
        if self.ca is None:
            return ssl.create_default_context()
        text = _pem("ca", self.ca, "BEGIN CERTIFICATE", "certificates in PEM form")
        try:
            return ssl.create_default_context(cadata=text)
        except ssl.SSLError as error:
            raise _bad("ca", self.ca, error) from None

    def _load_own(self, context: ssl.SSLContext, cert: Path) -> None:
        _pem("cert", cert, "BEGIN CERTIFICATE", "a certificate in PEM form")
        which, key = ("key", self.key) if self.key is not None else ("cert", cert)
        text = _pem(which, key, "PRIVATE KEY-----", "a private key in PEM form")
        if "ENCRYPTED" in text:
            fix = f"write it without one: openssl pkey -in {key.name} -out plain.key"
            raise BadTlsFile(which, key, "a key with a passphrase", "a private key without a passphrase", fix)
        try:
            context.load_cert_chain(cert, key)
        except ssl.SSLError as error:
            raise _bad(which, key, error) from None


SYSTEM_ROOTS = TlsSettings()
"""What holds where nothing else is said."""


def _pem(which: str, path: Path, mark: str, expected: str) -> str:
    fix = f"check the path, or write {expected} into the file"
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise BadTlsFile(which, path, error.strerror or str(error), expected, fix) from None
    if mark not in text:
        raise BadTlsFile(which, path, "a file without any", expected, fix)
    return text


def _bad(which: str, path: Path, error: ssl.SSLError) -> BadTlsFile:
    if error.reason == "KEY_VALUES_MISMATCH":
        return BadTlsFile(which, path, "the key of another certificate", "the key of cert", "give the two that belong")
    return BadTlsFile(which, path, f"what OpenSSL cannot read ({said(error)})", "PEM form", "write the file anew")


def said(error: OSError) -> str:
    """What an error of a connection says, in a few words without codes and places in OpenSSL's source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message).rstrip(".")
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return error.strerror or str(error) or type(error).__name__


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for an https upstream."""
    parser.add_argument("--upstream-ca", type=Path, help="PEM file: trusted instead of the system's roots")
    parser.add_argument("--upstream-cert", type=Path, help="PEM file: the certificate that is shown to the upstream")
    parser.add_argument("--upstream-key", type=Path, help="PEM file: its key, if that is not in the same file")
    parser.add_argument("--upstream-server-name", help="what the upstream is certified as, if not its host")
    parser.add_argument("--upstream-unverified", action="store_true", help="trust whoever answers")


def from_options(options: argparse.Namespace) -> TlsSettings:
    """The settings that the options say."""
    return TlsSettings(
        ca=options.upstream_ca,
        cert=options.upstream_cert,
        key=options.upstream_key,
        verify=not options.upstream_unverified,
        server_name=options.upstream_server_name,
    )
