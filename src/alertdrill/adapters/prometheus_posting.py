"""How a managed Prometheus posts its alerts to an Alertmanager of the user's own that wants a login."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alertdrill.adapters.access import Access
from alertdrill.adapters.secret import SecretAt


@dataclass(frozen=True)
class Posting:
    """Where alerts are posted.

    Attributes:
        address: `host:port`, or an address with its path prefix.
        options: further keys of the entry in Prometheus's configuration; of secrets, the files that hold them.
    """

    address: str
    options: Mapping[str, object] = field(default_factory=dict)


def posting(access: Access, folder: Path) -> Posting:
    """An entry that logs in as alertdrill itself does.

    Prometheus reads secrets from files only, anew for each post: one of an environment variable is written into a file.

    Args:
        access: the way to the Alertmanager, without further headers.
        folder: a private folder that lives as long as the Prometheus.
    """
    options: dict[str, object] = {}
    if access.bearer is not None:
        options["authorization"] = {"type": "Bearer", "credentials_file": _file(access.bearer, folder)}
    if access.password is not None:
        options["basic_auth"] = {"username": access.username, "password_file": _file(access.password, folder)}
    tls, named = access.tls, {"ca_file": access.tls.ca, "cert_file": access.tls.cert, "key_file": access.tls.key}
    if tls.cert is not None and tls.key is None:
        named["key_file"] = tls.cert
    checked: dict[str, object] = {name: str(path) for name, path in named.items() if path is not None}
    checked |= {"server_name": tls.server_name} if tls.server_name is not None else {}
    checked |= {} if tls.verify else {"insecure_skip_verify": True}
    return Posting(access.url, {**options, **({"tls_config": checked} if checked else {})})


def _file(secret: SecretAt, folder: Path) -> str:
    if secret.file is not None:
        return str(secret.file)
    path = folder / "shown-to-alertmanager"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret.read())
    return str(path)
