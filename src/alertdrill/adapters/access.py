"""How a server of the monitoring is reached: its address, what each request shows to it, and how it is checked."""

import base64
import ssl
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from alertdrill.adapters.certificate import ISSUER_UNKNOWN, OTHER_HOST, OUT_OF_TIME
from alertdrill.adapters.reachable import tls_settings
from alertdrill.adapters.secret import NoSecret, SecretAt, secret_at
from alertdrill.adapters.yaml_file import locate
from alertdrill.core.blotted import blotted
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import Connection, is_loopback
from alertdrill.core.scenario.connection import TENANT_HEADER
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.grammar import Path as KeyPath
from alertdrill.tls import SYSTEM_ROOTS, TlsSettings, said

MAX_CHAIN = 16
Answer = tuple[str, str]
"""What a server did, and what to do about it."""


class Access:
    """The way to one server.

    Attributes:
        url: base address, with its path prefix, without a slash at its end.
        option: where a scenario says how it is reached, such as `monitoring.prometheus`.
        tls: how an https address is checked.
        bearer: where the token is.
        username: of the login by password.
        password: where its password is.
    """

    def __init__(
        self,
        url: str,
        option: str = "monitoring.prometheus",
        *,
        tls: TlsSettings = SYSTEM_ROOTS,
        bearer: SecretAt | None = None,
        username: str = "",
        password: SecretAt | None = None,
        headers: Mapping[str, str | SecretAt] | None = None,
    ) -> None:
        self.url, self.option, self.tls = url.rstrip("/"), option, tls
        self.bearer, self.username, self.password = bearer, username, password
        self._headers = dict(headers or {})
        self._sent: set[str] = set()

    def at(self, url: str) -> "Access":
        """The way to another server with the same login."""
        return Access(
            url,
            self.option,
            tls=self.tls,
            bearer=self.bearer,
            username=self.username,
            password=self.password,
            headers=self._headers,
        )

    @classmethod
    def of(cls, connection: Connection, where: KeyPath, scenario_path: Path) -> "Access":
        """The way that a scenario describes; files are beside the scenario.

        Args:
            connection: what it says.
            where: keys to that.
            scenario_path: the scenario.

        Raises:
            BadInput: a secret or a file of certificates cannot be read.
        """
        headers: dict[str, str | SecretAt] = {
            name: value if isinstance(value, str) else secret_at(value, scenario_path)
            for name, value in connection.headers.items()
        }
        tenant = {TENANT_HEADER: connection.tenant} if connection.tenant is not None else {}
        basic, bearer = connection.basic_auth, connection.bearer_token
        access = cls(
            connection.url,
            ".".join(map(str, where)),
            tls=tls_settings(connection.tls, (*where, "tls"), scenario_path),
            bearer=secret_at(bearer, scenario_path) if bearer else None,
            username=basic.username if basic else "",
            password=secret_at(basic.password, scenario_path) if basic else None,
            headers={**headers, **tenant},
        )
        findings = []
        for path, secret in access._secrets.items():
            try:
                secret.read()
            except NoSecret as error:
                findings.append(Finding((*where, *path), error.expected, error.fix, error.got))
        if findings:
            raise BadInput(locate(scenario_path, findings))
        return access

    @property
    def _secrets(self) -> dict[KeyPath, SecretAt]:
        """Its secrets by the keys below its option."""
        own: dict[KeyPath, SecretAt | None] = {
            ("bearer_token",): self.bearer,
            ("basic_auth", "password"): self.password,
        }
        own |= {("headers", name): value for name, value in self._headers.items() if isinstance(value, SecretAt)}
        return {path: value for path, value in own.items() if value is not None}

    @property
    def trust_env(self) -> bool:
        """Whether the proxies of the environment are used: they cannot reach this machine's loopback."""
        return not is_loopback(urlsplit(self.url).hostname or "")

    @cached_property
    def context(self) -> ssl.SSLContext | None:
        """What an https address is checked with, made once; None for http."""
        return self.tls.context() if urlsplit(self.url).scheme == "https" else None

    def headers(self) -> dict[str, str]:
        """The headers of one request, secrets as they are now.

        Raises:
            NoSecret: one cannot be read.
        """
        found = {name: value if isinstance(value, str) else self._read(value) for name, value in self._headers.items()}
        if self.bearer is not None:
            found["Authorization"] = f"Bearer {self._read(self.bearer)}"
        if self.password is not None:
            login = f"{self.username}:{self._read(self.password)}"
            encoded = base64.b64encode(login.encode()).decode()
            self._sent |= {login, encoded}
            found["Authorization"] = f"Basic {encoded}"
        return found

    def _read(self, secret: SecretAt) -> str:
        value = secret.read()
        self._sent.add(value)
        return value

    def without_secrets(self, text: str) -> str:
        """A text, such as what a server says, without the secrets that were sent to it."""
        return blotted(text, self._sent)

    def denied(self, status: int, challenge: str, text: str) -> Answer:
        """What to do about an answer 401 or 403.

        Args:
            status: which of the two.
            challenge: its header `WWW-Authenticate`.
            text: what it says, as far as that is shown.
        """
        wants = challenge.split(" ", 1)[0].lower()
        token, login = "bearer_token: {env: NAME}", "basic_auth: {username: NAME, password: {env: NAME}}"
        says = f": {text}" if text else ""
        if status == 401 and "org id" in text.lower() and TENANT_HEADER not in self._headers:
            return f"it answers 401{says}", f"write {self.option}.tenant: NAME"
        if self.bearer is None and self.password is None:
            ways = {"basic": login, "bearer": token}
            fix = f"write {self.option}.{ways[wants]}" if wants in ways else f"write {self.option}.{token}, or {login}"
            known = " with what is sent" if self._headers else " without a login"
            return f"it answers {status}: not allowed{known}{says}", fix
        key = "bearer_token" if self.bearer else "basic_auth"
        secret = self.bearer or self.password
        assert secret is not None, "one of the two"
        if status == 401 and wants in ("basic", "bearer") and (wants == "basic") == (self.bearer is not None):
            other = login if wants == "basic" else token
            return f"it answers 401: it does not take {self.option}.{key}{says}", f"write {self.option}.{other} instead"
        may = "read and set silences" if self.option.endswith("alertmanager") else "read"
        what = f"it answers {status}: {self.option}.{key} is not allowed in{says}"
        if status == 403:
            what = f"it answers 403: {self.option}.{key} is not allowed to do this{says}"
        return what, f"see that {secret.where} holds what may {may} there"

    def untrusted(self, error: BaseException) -> Answer | None:
        """What to do about an error of TLS; None where it is another."""
        found = tls_error(error)
        if isinstance(found, ssl.SSLCertVerificationError):
            what = f"its certificate cannot be trusted: {said(found)}"
            fix = f"give the server another certificate, or write {self.option}.tls: {{verify: false}}"
            if found.verify_code in ISSUER_UNKNOWN:
                fix = f"write {self.option}.tls: {{ca: FILE}}, a PEM file with the certificate of its issuer"
            if found.verify_code in OTHER_HOST:
                fix = f"write one of its names in {self.option}.url or in {self.option}.tls.server_name"
            if found.verify_code in OUT_OF_TIME:
                fix = "renew the server's certificate, or correct this machine's clock"
            return what, fix
        if found is None:
            return None
        reason = found.reason or ""
        if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason or "HANDSHAKE" in reason):
            shown = f"{self.option}.tls.cert" if self.tls.cert else "a client without certificate"
            fix = f"write {self.option}.tls: {{cert: FILE, key: FILE}} with a certificate that it takes"
            return f"it refuses {shown}: {said(found)}", fix
        return f"no TLS session: {said(found)}", f"write http:// in {self.option}.url if it speaks plain HTTP"


def tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The error of TLS somewhere in the chain of causes, the innermost."""
    found: ssl.SSLError | None = None
    for _ in range(MAX_CHAIN):
        if error is None:
            break
        if isinstance(error, ssl.SSLError) and (error.reason or isinstance(error, ssl.SSLCertVerificationError)):
            found = error
        within = next(
            (one for one in (*error.args, getattr(error, "reason", None)) if isinstance(one, BaseException)), None
        )
        error = error.__cause__ or error.__context__ or within
    return found
