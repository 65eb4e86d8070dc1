"""Certificates of every quality, made for one test: a private authority, its servers, and those it did not certify."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme

EXPIRED_ON = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
VALID_FROM = datetime(2990, 1, 1, tzinfo=UTC)
HOSTS = ("127.0.0.1", "localhost")


@dataclass
class Authority:
    """A private authority that the system does not trust, with its certificate as a file.

    Attributes:
        ca: PEM file of its certificate.
        folder: where files of certificates and keys go.
    """

    folder: Path

    def __post_init__(self) -> None:
        self._ca = trustme.CA()
        self.ca = self.folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca))

    def server(
        self, *hosts: str, expired: bool = False, not_yet: bool = False, asks_for_ours: bool = False
    ) -> ssl.SSLContext:
        """The context of a server that it certified."""
        expiry, start = EXPIRED_ON if expired else None, VALID_FROM if not_yet else None
        leaf = self._ca.issue_cert(*(hosts or HOSTS), not_after=expiry, not_before=start)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        if asks_for_ours:
            context.verify_mode = ssl.CERT_REQUIRED
            self._ca.configure_trust(context)
        return context

    def files(self, *hosts: str) -> tuple[Path, Path]:
        """Files of a certificate and key of a server that it certified."""
        leaf = self._ca.issue_cert(*(hosts or HOSTS))
        cert, key = self.folder / "server.pem", self.folder / "server.key"
        leaf.cert_chain_pems[0].write_to_path(str(cert))
        leaf.private_key_pem.write_to_path(str(key))
        return cert, key

    def client(self) -> tuple[Path, Path]:
        """Files of a client's certificate and key."""
        leaf = self._ca.issue_cert("drill@alertdrill.test")
        cert, key = self.folder / "client.pem", self.folder / "client.key"
        leaf.cert_chain_pems[0].write_to_path(str(cert))
        leaf.private_key_pem.write_to_path(str(key))
        return cert, key

    def self_signed(self) -> tuple[ssl.SSLContext, Path]:
        """A server that certified itself, and the PEM file of that certificate."""
        itself = trustme.CA(organization_name="itself")
        path = self.folder / "itself.pem"
        itself.cert_pem.write_to_path(str(path))
        with itself.private_key_pem.tempfile(str(self.folder)) as key:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path, key)
        return context, path
