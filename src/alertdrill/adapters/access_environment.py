"""The way to a Prometheus that a command line names: what it must be shown stands in the environment alone."""

import os
from collections.abc import Mapping
from pathlib import Path

from alertdrill.adapters.access import Access
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.adapters.secret import secret_at
from alertdrill.core.scenario.connection import TENANT_HEADER
from alertdrill.core.scenario.secret import FromEnvironment

TOKEN = "ALERTDRILL_PROM_TOKEN"
USERNAME = "ALERTDRILL_PROM_USERNAME"
PASSWORD = "ALERTDRILL_PROM_PASSWORD"
TENANT = "ALERTDRILL_PROM_TENANT"

_FIXES = {
    "unauthorized": f"export {TOKEN}, or {USERNAME} and {PASSWORD} (and {TENANT} where it keeps several apart)",
    "untrusted": "export SSL_CERT_FILE=FILE, a PEM file with the certificate of its issuer",
}


def access_from_environment(url: str, environ: Mapping[str, str] = os.environ) -> Access:
    """The way to a Prometheus: bearer token, user name and password, and tenant are those of the environment.

    Args:
        url: its base address.
        environ: environment variables.
    """
    tenant = environ.get(TENANT)
    by_password = USERNAME in environ and TOKEN not in environ
    return Access(
        url,
        "--prometheus",
        bearer=secret_at(FromEnvironment(env=TOKEN), Path()) if TOKEN in environ else None,
        username=environ[USERNAME] if by_password else "",
        password=secret_at(FromEnvironment(env=PASSWORD), Path()) if by_password else None,
        headers={TENANT_HEADER: tenant} if tenant else {},
    )


def as_environment(error: QueryFailed) -> QueryFailed:
    """A failure with what to do about it where there is no scenario."""
    fix = _FIXES.get(error.kind, error.fix)
    return QueryFailed(error.url, error.query, error.kind, error.what, fix)
